//! What the attributes say: those of serde as far as they change what may be written, and `#[config(…)]`.

use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Attribute, Error, Expr, ExprPath, ExprRange, Field, Lit, LitStr, Meta, RangeLimits, Result, Token, Variant};

use crate::names::Rule;

/// Of a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    /// Unknown keys are refused.
    pub(crate) closed: bool,
    /// What is left out comes from the `Default` of the whole.
    pub(crate) default: bool,
    pub(crate) rename_all: Option<Rule>,
}

/// Of a field or a variant.
#[derive(Default)]
pub(crate) struct Member {
    pub(crate) rename: Option<String>,
    pub(crate) default: Fallback,
    /// Never read.
    pub(crate) skip: bool,
    /// The doc comment, in one line.
    pub(crate) description: String,
    pub(crate) range: Option<Range>,
    pub(crate) non_empty: bool,
}

/// Least and most.
type Range = (Option<Expr>, Option<Expr>);

/// What stands in for a field that is left out.
#[derive(Default)]
pub(crate) enum Fallback {
    /// Nothing: it is required, unless it is an `Option`.
    #[default]
    None,
    /// The `Default` of its type.
    Type,
    /// What this function makes.
    Call(ExprPath),
}

impl Container {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut container = Self::default();
        each(attributes, "serde", |meta| {
            if meta.path.is_ident("deny_unknown_fields") {
                container.closed = true;
            } else if meta.path.is_ident("default") {
                if meta.input.peek(Token![=]) {
                    return Err(meta.error("Config needs `default` without a function: implement Default"));
                }
                container.default = true;
            } else if meta.path.is_ident("rename_all") {
                container.rename_all = text(&meta)?.as_ref().map(Rule::named).transpose()?;
            } else if meta.path.is_ident("transparent") {
                return Err(meta.error("Config needs `struct Name(Type);` instead of `transparent`"));
            } else {
                other(&meta)?;
            }
            Ok(())
        })?;
        each(attributes, "config", |meta| Err(meta.error("expected `config` at a field")))?;
        Ok(container)
    }
}

impl Member {
    pub(crate) fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut member = Self { description: description(attributes), ..Self::default() };
        each(attributes, "serde", |meta| {
            if meta.path.is_ident("rename") {
                member.rename = text(&meta)?.map(|name| name.value());
            } else if meta.path.is_ident("default") {
                member.default = match meta.input.peek(Token![=]) {
                    true => Fallback::Call(meta.value()?.parse::<LitStr>()?.parse()?),
                    false => Fallback::Type,
                };
            } else if meta.path.is_ident("skip") || meta.path.is_ident("skip_deserializing") {
                member.skip = true;
            } else {
                other(&meta)?;
            }
            Ok(())
        })?;
        each(attributes, "config", |meta| {
            if meta.path.is_ident("range") {
                member.range = Some(range(meta.value()?)?);
            } else if meta.path.is_ident("non_empty") {
                member.non_empty = true;
            } else {
                return Err(meta.error("expected `range = LEAST..=MOST` or `non_empty`"));
            }
            Ok(())
        })?;
        Ok(member)
    }

    /// The attributes of the value in `struct Name(Type);`, which has no name and is never left out.
    pub(crate) fn of_value(field: &Field) -> Result<Self> {
        let member = Self::of(&field.attrs)?;
        if member.skip || member.rename.is_some() || !matches!(member.default, Fallback::None) {
            return Err(Error::new_spanned(
                field,
                "expected no `rename`, `default` or `skip` at the value of `struct Name(Type);`: it has no name and is \
                 never left out",
            ));
        }
        Ok(member)
    }

    /// The attributes of a word of an enum, which has no limits.
    pub(crate) fn of_variant(variant: &Variant) -> Result<Self> {
        let member = Self::of(&variant.attrs)?;
        if member.range.is_some() || member.non_empty {
            return Err(Error::new_spanned(variant, "expected no `config` at a variant: a word has no limits"));
        }
        Ok(member)
    }
}

fn each(attributes: &[Attribute], name: &str, mut take: impl FnMut(ParseNestedMeta<'_>) -> Result<()>) -> Result<()> {
    let named = attributes.iter().filter(|attribute| attribute.path().is_ident(name));
    named.into_iter().try_for_each(|attribute| attribute.parse_nested_meta(&mut take))
}

/// `= "text"`, or the `deserialize` of `(serialize = …, deserialize = "text")`.
fn text(meta: &ParseNestedMeta<'_>) -> Result<Option<LitStr>> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    let mut found = None;
    meta.parse_nested_meta(|one| {
        let text: LitStr = one.value()?.parse()?;
        if one.path.is_ident("deserialize") {
            found = Some(text);
        }
        Ok(())
    })?;
    Ok(found)
}

/// What does not change what may be written is read over; anything else would make the schema wrong, and is refused.
fn other(meta: &ParseNestedMeta<'_>) -> Result<()> {
    const HARMLESS: &[&str] = &[
        "rename",
        "rename_all",
        "skip_serializing",
        "skip_serializing_if",
        "serialize_with",
        "into",
        "bound",
        "borrow",
        "crate",
        "expecting",
    ];
    if !HARMLESS.iter().any(|name| meta.path.is_ident(name)) {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        return Err(meta.error(format!("Config cannot follow serde's `{name}`: implement Config by hand")));
    }
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Lit>()?;
    } else if meta.input.peek(syn::token::Paren) {
        meta.parse_nested_meta(|one| one.value()?.parse::<Lit>().map(drop))?;
    }
    Ok(())
}

/// `LEAST..=MOST`, `LEAST..` or `..=MOST`.
fn range(input: ParseStream<'_>) -> Result<Range> {
    const EXPECTED: &str = "expected `LEAST..=MOST`, `LEAST..` or `..=MOST`: both limits are allowed values";
    let written: Expr = input.parse()?;
    let Expr::Range(ExprRange { start, limits, end, .. }) = written else {
        return Err(Error::new_spanned(written, EXPECTED));
    };
    match (&start, limits, &end) {
        (_, RangeLimits::Closed(_), Some(_)) | (Some(_), RangeLimits::HalfOpen(_), None) => {
            Ok((start.map(|least| *least), end.map(|most| *most)))
        }
        (_, limits, _) => Err(Error::new_spanned(limits, EXPECTED)),
    }
}

fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let Meta::NameValue(doc) = &attribute.meta else { return None };
        let Expr::Lit(value) = &doc.value else { return None };
        let Lit::Str(text) = &value.lit else { return None };
        Some(text.value().split_whitespace().collect::<Vec<_>>().join(" "))
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
