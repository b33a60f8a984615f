//! `#[derive(Config)]` of `tidegate-plugin`: see `tidegate_plugin::Config`, which says what it writes.
//!
//! ```text
//! struct with serde's attributes ─▶ attributes.rs ─▶ what each field is called, may hold, and defaults to
//!                                                 ─▶ fields.rs, variants.rs ─▶ impl Config
//! ```

mod attributes;
mod fields;
mod names;
#[cfg(test)]
mod tests;
mod variants;

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result, parse_macro_input};

use attributes::Container;

/// Implements `tidegate_plugin::Config`: JSON schema, default values and limits, from the attributes of serde, doc
/// comments and `#[config(…)]`.
#[proc_macro_derive(Config, attributes(config, serde))]
pub fn config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implementation(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn implementation(input: &DeriveInput) -> Result<proc_macro2::TokenStream> {
    let what = "Config can be derived for structs with named fields, for structs around one value and for enums without \
                data; implement it by hand for others";
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "Config cannot be derived for what is generic"));
    }
    let container = Container::of(&input.attrs)?;
    let methods = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => fields::of_struct(&container, fields)?,
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields::of_newtype(fields)?,
            Fields::Unnamed(_) | Fields::Unit => return Err(Error::new_spanned(&input.ident, what)),
        },
        Data::Enum(data) => {
            if let Some(variant) = data.variants.iter().find(|variant| !matches!(variant.fields, Fields::Unit)) {
                return Err(Error::new_spanned(variant, what));
            }
            variants::of_enum(&container, data)?
        }
        Data::Union(_) => return Err(Error::new_spanned(&input.ident, what)),
    };
    let name = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::tidegate_plugin::Config for #name {
            #methods
        }
    })
}
