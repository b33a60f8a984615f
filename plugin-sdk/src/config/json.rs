//! JSON into any type of serde, small: a plugin carries what of it its configuration needs.
//!
//! A fault starts where it happens, without a place; each list and object that it leaves puts its own step in front.

mod fault;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use self::fault::Fault;
use super::fault;
use super::schema::pointer;
use crate::ConfigError;

/// Lists and objects inside each other. The stack of a plugin is small.
const DEEPEST: u32 = 64;

/// Reads all of `text`.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let read = T::deserialize(&mut reader).map_err(|Fault(error)| error)?;
    match reader.peek() {
        None => Ok(read),
        Some(_) => Err(reader.expected("the end of the JSON text").0),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

impl<'t> Reader<'t> {
    /// What comes next after blanks.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at = self.at.saturating_add(blanks);
        rest.get(blanks).copied()
    }

    fn take(&mut self, expected: u8) -> bool {
        let is_there = self.peek() == Some(expected);
        self.at = self.at.saturating_add(usize::from(is_there));
        is_there
    }

    fn demand(&mut self, expected: u8, what: &str) -> Result<(), Fault> {
        if self.take(expected) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// A fault of the JSON text itself.
    fn expected(&mut self, what: &str) -> Fault {
        let mut message = String::from("expected ");
        message.push_str(what);
        match self.peek() {
            Some(_) => {
                message.push_str(", found ");
                message.extend(self.text.get(self.at..).into_iter().flat_map(str::chars).take(10));
            }
            None => message.push_str(", found the end of the JSON text"),
        }
        Fault(fault("", message))
    }

    fn word(&mut self, word: &str) -> bool {
        self.peek();
        let is_there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if is_there {
            self.at = self.at.saturating_add(word.len());
        }
        is_there
    }

    fn number(&mut self) -> Result<&'t str, Fault> {
        self.peek();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte)).count();
        let number =
            rest.get(..end).filter(|number| number.starts_with(|first: char| first == '-' || first.is_ascii_digit()));
        let Some(number) = number else { return Err(self.expected("a JSON value")) };
        self.at = self.at.saturating_add(end);
        Ok(number)
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.demand(b'"', "a text in quotes")?;
        let mut string = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
            string.push_str(rest.get(..plain).unwrap_or_default());
            let special = rest.as_bytes().get(plain);
            self.at = self.at.saturating_add(plain).saturating_add(1);
            match special {
                Some(b'"') => return Ok(string),
                Some(_) => string.push(self.escaped()?),
                None => return Err(self.expected("a closing quote")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Fault> {
        let letter = self.text.as_bytes().get(self.at).copied();
        self.at = self.at.saturating_add(1);
        let escaped = match letter {
            Some(letter @ (b'"' | b'\\' | b'/')) => Some(char::from(letter)),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'n') => Some('\n'),
            Some(b'r') => Some('\r'),
            Some(b't') => Some('\t'),
            Some(b'u') => self.unicode(),
            _ => None,
        };
        escaped.ok_or_else(|| Fault(fault("", "expected an escape of JSON after a backslash")))
    }

    /// A letter by its number; letters above U+FFFF come as two halves.
    fn unicode(&mut self) -> Option<char> {
        let high = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        let low = if self.word("\\u") { self.four_digits()?.checked_sub(0xdc00)? } else { return None };
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)
    }

    fn four_digits(&mut self) -> Option<u32> {
        let end = self.at.saturating_add(4);
        let digits = self.text.get(self.at..end)?;
        self.at = end;
        u32::from_str_radix(digits, 16).ok()
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            return Err(Fault(fault("", "expected at most 64 lists and objects inside each other")));
        }
        self.depth = self.depth.saturating_add(1);
        let read = read(self);
        self.depth = self.depth.saturating_sub(1);
        read
    }

    fn list<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        self.at = self.at.saturating_add(1);
        let mut list = Members { reader: self, count: 0, key: String::new() };
        let value = visitor.visit_seq(&mut list)?;
        list.reader.demand(b']', "`,` or `]`")?;
        Ok(value)
    }

    fn object<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        self.at = self.at.saturating_add(1);
        let mut object = Members { reader: self, count: 0, key: String::new() };
        let value = visitor.visit_map(&mut object)?;
        object.reader.demand(b'}', "`,` or `}`")?;
        Ok(value)
    }

    /// A number without a fraction.
    fn whole<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        let number = self.number()?;
        if let Ok(number) = number.parse::<u64>() {
            visitor.visit_u64(number)
        } else if let Ok(number) = number.parse::<i64>() {
            visitor.visit_i64(number)
        } else {
            Err(de::Error::invalid_value(Unexpected::Other(number), &visitor))
        }
    }

    /// Everything but numbers with fractions, whose reading takes 10 KB: only who has some in its configuration carries that.
    fn simple<'de, V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek() {
            Some(b'n') if self.word("null") => visitor.visit_unit(),
            Some(b't') if self.word("true") => visitor.visit_bool(true),
            Some(b'f') if self.word("false") => visitor.visit_bool(false),
            Some(b'"') => visitor.visit_string(self.string()?),
            Some(b'[') => self.nested(|reader| reader.list(visitor)),
            Some(b'{') => self.nested(|reader| reader.object(visitor)),
            Some(b'-' | b'0'..=b'9') => self.whole(visitor),
            _ => Err(self.expected("a JSON value")),
        }
    }
}

macro_rules! without_fractions {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            self.simple(visitor)
        }
    )+};
}

impl<'de> de::Deserializer<'de> for &mut Reader<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if !matches!(self.peek(), Some(b'-' | b'0'..=b'9')) {
            return self.simple(visitor);
        }
        let before = self.at;
        let number = self.number()?;
        if number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()) {
            self.at = before;
            return self.whole(visitor);
        }
        match number.parse::<f64>() {
            Ok(number) if number.is_finite() => visitor.visit_f64(number),
            _ => Err(de::Error::invalid_value(Unexpected::Other(number), &visitor)),
        }
    }

    forward_to_deserialize_any! { f32 f64 }

    without_fractions! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map deserialize_identifier
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.word("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        self.simple(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.simple(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.simple(visitor)
    }

    /// By its names: a list of the values in the order of the fields, which serde would take, is a mistake here.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek() {
            Some(b'[') => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.simple(visitor),
        }
    }

    /// A word; or an object of one member, whose key is the word and whose value is the data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.peek() {
            Some(b'"') => visitor.visit_enum(de::IntoDeserializer::into_deserializer(self.string()?)),
            Some(b'{') => self.nested(|reader| {
                reader.at = reader.at.saturating_add(1);
                let value = visitor.visit_enum(Variant { reader, key: String::new() });
                value.and_then(|value| reader.demand(b'}', "`}` after the one member").map(|()| value))
            }),
            _ => self.simple(visitor),
        }
    }

    /// Skips a value, fractions included.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number().and_then(|_| visitor.visit_unit()),
            _ => self.simple(visitor),
        }
    }
}

/// The members of a list or an object that is being read.
struct Members<'r, 't> {
    reader: &'r mut Reader<'t>,
    count: usize,
    key: String,
}

impl Members<'_, '_> {
    /// Whether one more comes before `end`.
    fn more(&mut self, end: u8, or: &str) -> Result<bool, Fault> {
        if self.reader.peek() == Some(end) {
            return Ok(false);
        }
        if self.count > 0 {
            self.reader.demand(b',', or)?;
        }
        self.count = self.count.saturating_add(1);
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for &mut Members<'_, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        if !self.more(b']', "`,` or `]`")? {
            return Ok(None);
        }
        let read = seed.deserialize(&mut *self.reader);
        read.map(Some).map_err(|fault| fault.within(&self.count.saturating_sub(1).to_string()))
    }
}

impl<'de> MapAccess<'de> for &mut Members<'_, '_> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        if !self.more(b'}', "`,` or `}`")? {
            return Ok(None);
        }
        let key = self.reader.string()?;
        self.key = pointer(&key);
        self.reader.demand(b':', "`:` after a key")?;
        let read = seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(key));
        read.map(Some).map_err(|fault| fault.within(&self.key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(&mut *self.reader).map_err(|fault| fault.within(&self.key))
    }
}

/// The one member of an object that stands for an enum.
struct Variant<'r, 't> {
    reader: &'r mut Reader<'t>,
    key: String,
}

impl<'de> EnumAccess<'de> for Variant<'_, '_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(mut self, seed: V) -> Result<(V::Value, Self), Fault> {
        let key = self.reader.string()?;
        self.key = pointer(&key);
        self.reader.demand(b':', "`:` after a key")?;
        let read = seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(key));
        read.map_err(|fault| fault.within(&self.key)).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        de::Deserialize::deserialize(self.reader).map_err(|fault: Fault| fault.within(&self.key))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.reader).map_err(|fault| fault.within(&self.key))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.reader.simple(visitor).map_err(|fault| fault.within(&self.key))
    }

    fn struct_variant<V: Visitor<'de>>(self, _fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.reader.simple(visitor).map_err(|fault| fault.within(&self.key))
    }
}
