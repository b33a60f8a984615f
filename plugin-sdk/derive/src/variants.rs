//! Enums without data: one of several words.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{DataEnum, Result};

use crate::attributes::{Container, Member};
use crate::names::json;

/// The methods for an enum.
pub(crate) fn of_enum(container: &Container, data: &DataEnum) -> Result<TokenStream> {
    let (mut words, mut arms) = (Vec::new(), Vec::new());
    for variant in &data.variants {
        let member = Member::of_variant(variant)?;
        let written = variant.ident.unraw().to_string();
        let ruled = || container.rename_all.map_or_else(|| written.clone(), |rule| rule.variant(&written));
        let word = json(&member.rename.clone().unwrap_or_else(ruled));
        let ident = &variant.ident;
        arms.push(quote!(Self::#ident => #word));
        if !member.skip {
            words.push(word);
        }
    }
    let schema = format!("\"enum\":[{}]", words.join(","));
    Ok(quote! {
        fn write_type(schema: &mut ::std::string::String) { schema.push_str(#schema); }
        fn write_value(&self, json: &mut ::std::string::String) { json.push_str(match self { #(#arms),* }); }
    })
}
