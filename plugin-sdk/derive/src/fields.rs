//! Structs: an object with a property for each field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Field, FieldsNamed, FieldsUnnamed, GenericArgument, PathArguments, Result, Type};

use crate::attributes::{Container, Fallback, Member};
use crate::names::{json, step};

/// A field as the JSON shows it.
struct Property<'a> {
    field: &'a Field,
    member: Member,
    name: String,
}

/// The methods for a struct with named fields.
pub(crate) fn of_struct(container: &Container, fields: &FieldsNamed) -> Result<TokenStream> {
    let mut properties = Vec::new();
    for field in &fields.named {
        let member = Member::of(&field.attrs)?;
        let Some(ident) = field.ident.as_ref().filter(|_| !member.skip) else { continue };
        let written = ident.to_string();
        let written = written.trim_start_matches("r#");
        let ruled = || container.rename_all.map_or_else(|| written.to_owned(), |rule| rule.field(written));
        properties.push(Property { field, name: member.rename.clone().unwrap_or_else(ruled), member });
    }
    let (schema, value, check) = (schema(container, &properties), value(&properties), check(&properties));
    Ok(quote! {
        fn write_type(schema: &mut ::std::string::String) { #schema }
        fn write_value(&self, json: &mut ::std::string::String) { #value }
        fn check(&self, path: &mut ::std::string::String, faults: &mut ::std::vec::Vec<::tidegate_plugin::ConfigError>) {
            #check
        }
    })
}

/// The methods for `struct Name(Type);`, which serde reads as the value alone.
pub(crate) fn of_newtype(fields: &FieldsUnnamed) -> Result<TokenStream> {
    let Some(field) = fields.unnamed.first() else { return Ok(TokenStream::new()) };
    let (member, inner) = (Member::of_value(field)?, &field.ty);
    let (limits, not_empty) = (limits(&member, inner), least_length(&member, inner));
    let check = check_value(&member, inner, &quote!(self.0), "");
    Ok(quote! {
        fn write_type(schema: &mut ::std::string::String) {
            <#inner as ::tidegate_plugin::Config>::write_type(schema);
        }
        fn write_limits(schema: &mut ::std::string::String) {
            #limits
            schema.push_str(#not_empty);
        }
        fn write_value(&self, json: &mut ::std::string::String) {
            ::tidegate_plugin::Config::write_value(&self.0, json);
        }
        fn check(&self, path: &mut ::std::string::String, faults: &mut ::std::vec::Vec<::tidegate_plugin::ConfigError>) {
            #check
        }
    })
}

fn schema(container: &Container, properties: &[Property<'_>]) -> TokenStream {
    let mut before = String::from("\"type\":\"object\"");
    if container.closed {
        before.push_str(",\"additionalProperties\":false");
    }
    let required: Vec<String> = properties
        .iter()
        .filter(|property| property.required(container))
        .map(|property| json(&property.name))
        .collect();
    if !required.is_empty() {
        before.push_str(&format!(",\"required\":[{}]", required.join(",")));
    }
    before.push_str(",\"properties\":{");
    let all = container.default.then(|| quote!(let all = <Self as ::std::default::Default>::default();));
    let each = properties.iter().enumerate().map(|(number, property)| {
        let comma = if number == 0 { "" } else { "," };
        property.schema(container, &format!("{comma}{}:{{", json(&property.name)))
    });
    quote! {
        schema.push_str(#before);
        #all
        #(#each)*
        schema.push_str("}");
    }
}

fn value(properties: &[Property<'_>]) -> TokenStream {
    let each = properties.iter().enumerate().map(|(number, property)| {
        let before = format!("{}{}:", if number == 0 { "{" } else { "," }, json(&property.name));
        let ident = &property.field.ident;
        quote! {
            json.push_str(#before);
            ::tidegate_plugin::Config::write_value(&self.#ident, json);
        }
    });
    let empty = properties.is_empty().then(|| quote!(json.push('{');));
    quote!(#(#each)* #empty json.push('}');)
}

fn check(properties: &[Property<'_>]) -> TokenStream {
    let each = properties.iter().map(|property| {
        let ident = &property.field.ident;
        check_value(&property.member, &property.field.ty, &quote!(self.#ident), &step(&property.name))
    });
    quote!(#(#each)*)
}

/// Looks at what `place` holds, one `step` further: what its type objects to, its range, and whether it is empty.
fn check_value(member: &Member, ty: &Type, place: &TokenStream, step: &str) -> TokenStream {
    let inner = quote! {
        ::tidegate_plugin::config::within(path, #step, |path| {
            ::tidegate_plugin::Config::check(&#place, path, faults)
        });
    };
    let range = member.range.as_ref().map(|(least, most)| {
        let [least, most] = [least, most].map(|limit| match limit {
            Some(limit) => quote!(::std::option::Option::Some(#limit)),
            None => quote!(::std::option::Option::None),
        });
        let value = match optional(ty) {
            Some(_) => quote!(#place.as_ref()),
            None => quote!(::std::option::Option::Some(&#place)),
        };
        quote!(::tidegate_plugin::config::in_range(path, #step, #value, #least, #most, faults);)
    });
    let is_empty = match optional(ty) {
        Some(_) => quote!(#place.as_ref().is_some_and(|value| value.is_empty())),
        None => quote!(#place.is_empty()),
    };
    let non_empty = quote!(::tidegate_plugin::config::not_empty(path, #step, #is_empty, faults););
    let non_empty = member.non_empty.then_some(non_empty);
    quote!(#inner #range #non_empty)
}

/// Appends least and most: those of the range, or else those of the type.
fn limits(member: &Member, ty: &Type) -> TokenStream {
    let Some((least, most)) = &member.range else {
        return quote!(<#ty as ::tidegate_plugin::Config>::write_limits(schema););
    };
    let value = optional(ty).unwrap_or(ty);
    let limit = |name: &str, limit: &syn::Expr| {
        let name = format!(",{}:", json(name));
        quote! {
            schema.push_str(#name);
            let limit: #value = #limit;
            ::tidegate_plugin::Config::write_value(&limit, schema);
        }
    };
    let least = least.as_ref().map(|least| limit("minimum", least));
    let most = most.as_ref().map(|most| limit("maximum", most));
    quote!(#least #most)
}

/// The schema's member for `non_empty`, or nothing.
fn least_length(member: &Member, ty: &Type) -> &'static str {
    match (member.non_empty, is_named(optional(ty).unwrap_or(ty), "String")) {
        (false, _) => "",
        (true, true) => ",\"minLength\":1",
        (true, false) => ",\"minItems\":1",
    }
}

impl Property<'_> {
    fn required(&self, container: &Container) -> bool {
        !container.default && matches!(self.member.default, Fallback::None) && optional(&self.field.ty).is_none()
    }

    fn schema(&self, container: &Container, before: &str) -> TokenStream {
        let (ty, ident) = (&self.field.ty, &self.field.ident);
        let limits = limits(&self.member, ty);
        let default = match (&self.member.default, container.default) {
            (Fallback::Call(function), _) => Some(quote!(#function())),
            (Fallback::Type, _) => Some(quote!(<#ty as ::std::default::Default>::default())),
            (Fallback::None, true) => Some(quote!(all.#ident)),
            (Fallback::None, false) => None,
        };
        let default = default.map(|value| quote!(::tidegate_plugin::config::write_default(&#value, schema);));
        let mut after = least_length(&self.member, ty).to_owned();
        if !self.member.description.is_empty() {
            after.push_str(&format!(",\"description\":{}", json(&self.member.description)));
        }
        after.push('}');
        quote! {
            schema.push_str(#before);
            <#ty as ::tidegate_plugin::Config>::write_type(schema);
            #limits
            #default
            schema.push_str(#after);
        }
    }
}

/// The `T` of an `Option<T>`, as far as that can be seen by its name: serde looks at the name, too.
fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}
