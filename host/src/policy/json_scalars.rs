//! Scalars of a JSON object of which the beginning is known.

/// A string, number or boolean of the outermost object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JsonScalar {
    pub(super) key: String,
    pub(super) value: String,
    /// Bytes of the text by which one knows it: behind a number there is one more.
    pub(super) end: usize,
}

/// Each string, number and boolean of the outermost object in `text`, with its key, as far as they end within it. What is
/// no JSON ends the reading, and what stands before it is given.
pub(super) fn json_scalars(text: &[u8]) -> Vec<JsonScalar> {
    let mut reader = Reader { rest: text, length: text.len() };
    let mut found = Vec::new();
    if reader.take(b'{').is_some() {
        while reader.member(&mut found).is_some() && reader.take(b',').is_some() {}
    }
    found
}

struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    /// One key with its value; none where the text ends within it, or is no such thing.
    fn member(&mut self, found: &mut Vec<JsonScalar>) -> Option<()> {
        let key = self.string()?;
        self.take(b':')?;
        self.skip_blanks();
        match self.rest.first()? {
            b'"' => {
                let value = self.string()?;
                found.push(JsonScalar { key, value, end: self.passed() });
            }
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                let end =
                    self.rest.iter().position(|byte| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))?;
                let literal = std::str::from_utf8(self.advance(end)?).ok()?;
                match serde_json::from_str(literal).ok()? {
                    serde_json::Value::Number(_) | serde_json::Value::Bool(_) => {
                        found.push(JsonScalar { key, value: literal.to_owned(), end: self.passed() + 1 });
                    }
                    _ => {}
                }
            }
        }
        Some(())
    }

    fn passed(&self) -> usize {
        self.length - self.rest.len()
    }

    fn string(&mut self) -> Option<String> {
        self.skip_blanks();
        let quoted = self.quoted()?;
        serde_json::from_slice(quoted).ok()
    }

    /// A string with its quotes and escapes.
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let mut at = (self.rest.first()? == &b'"').then_some(1)?;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.rest.get(at..)?)?;
            match self.rest.get(at)? {
                b'"' => return self.advance(at + 1),
                _ => at += 2,
            }
        }
    }

    /// Passes over an object or a list. Its brackets are counted, not matched.
    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.rest.first()? {
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.advance(1)?;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.skip_blanks();
        (self.rest.first()? == &byte).then_some(())?;
        self.advance(1).map(|_| ())
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn advance(&mut self, by: usize) -> Option<&'a [u8]> {
        let (passed, rest) = self.rest.split_at_checked(by)?;
        self.rest = rest;
        Some(passed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        json_scalars(text.as_bytes()).iter().map(|found| format!("{}={};", found.key, found.value)).collect()
    }

    #[test]
    fn scalars_of_the_outermost_object_are_found_and_nothing_else() {
        for (text, expected) in [
            (r#"{"model":"a-7b","n":2,"stream":true}"#, "model=a-7b;n=2;stream=true;"),
            (r#" { "messages" : [ {"model": "inner"}, "]}" ] , "model" : "outer" }"#, "model=outer;"),
            (r#"{"a":{"b":{"c":1}},"d":-1.5e3,"e":null}"#, "d=-1.5e3;"),
            (r#"{"a\"b":"\u00e9\n","c":""}"#, "a\"b=é\n;c=;"),
            (r#"{"a":1,"a":2}"#, "a=1;a=2;"),
            ("{}", ""),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_is_not_given_and_what_stands_before_it_is() {
        for (text, expected) in [
            (r#"{"a":"x","b":"y"#, "a=x;"),
            (r#"{"a":"x","b":"y\"#, "a=x;"),
            (r#"{"a":"x","b":12"#, "a=x;"),
            (r#"{"a":"x","b":[1,2"#, "a=x;"),
            (r#"{"a":"x","b"#, "a=x;"),
            (r#"{"a":"x""#, "a=x;"),
            ("{", ""),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_json_has_nothing() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        for text in ["", "model=a", "[1]", "\"model\"", "{'a':1}", "{\"a\":tru,", "{\"a\":}", "{\"a\" 1}", &deep] {
            assert_eq!(read(text), "", "{text:.20}");
        }
        assert_eq!(json_scalars(b"{\"a\":\"\xff\",\"b\":1}"), [], "no UTF-8");
        assert_eq!(json_scalars(b"\x1f\x8b\x08\0{\"a\":1}"), [], "compressed");
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_given_of_a_beginning_is_given_of_the_whole(
            text in r#"[ {}\[\]":,\\a1tr\n]{0,40}"#,
            cut in 0..40_usize,
        ) {
            let whole = json_scalars(text.as_bytes());
            let part = json_scalars(&text.as_bytes()[..cut.min(text.len())]);
            let within: Vec<_> = whole.into_iter().take_while(|found| found.end <= cut).collect();
            prop_assert_eq!(within, part);
        }
    }
}
