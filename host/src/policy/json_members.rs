//! Members of a JSON object of which the beginning is known.

/// Where the members of the outermost object stand. Their texts are read when somebody asks for one: 256 KiB may hold
/// fifty thousand of them, and they are kept as long as the request is.
#[derive(Debug)]
pub(super) struct JsonMembers(Vec<MemberPlace>);

#[derive(Debug)]
struct MemberPlace {
    key: u32,
    value: u32,
    /// Bytes of the text by which one knows it: behind a literal there is one more.
    end: u32,
}

impl JsonMembers {
    /// The members of the object in `text`, as far as they end within it. What is no JSON (RFC 8259) ends the reading,
    /// and what stands before it is there.
    ///
    /// What many readers take is read as they do, so that nobody hides a member from who decides and not from who
    /// responds: numbers of any size (§6), halves of surrogate pairs (§8.2), a byte order mark (§8.1).
    pub(super) fn read(text: &[u8]) -> Self {
        let mut reader = Reader { rest: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text), length: text.len() };
        let mut found = Vec::new();
        if reader.take(b'{').is_some() {
            while reader.member(&mut found).is_some() && reader.take(b',').is_some() {}
        }
        found.shrink_to_fit();
        Self(found)
    }

    /// The string, number or boolean under `name` in `text`, that they were read of, if it ends within so many bytes. Of
    /// several members the last counts; it has none if it is something else, or a string that is no Unicode text.
    pub(super) fn scalar(&self, text: &[u8], within: usize, name: &str) -> Option<String> {
        let shown = self.0.iter().rev().filter(|place| usize::try_from(place.end).is_ok_and(|end| end <= within));
        let place = shown.into_iter().find(|place| Reader::at(text, place.key).is_some_and(|key| key.says(name)))?;
        Reader::at(text, place.value)?.scalar()?
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    fn at(text: &'a [u8], place: u32) -> Option<Self> {
        Some(Self { rest: text.get(usize::try_from(place).ok()?..)?, length: text.len() })
    }

    /// One key with its value; none where the text ends within it, or is no such thing.
    fn member(&mut self, found: &mut Vec<MemberPlace>) -> Option<()> {
        self.skip_blanks();
        let key = self.passed()?;
        self.string()?;
        self.take(b':')?;
        self.skip_blanks();
        let value = self.passed()?;
        let behind = match self.rest.first()? {
            b'{' | b'[' => self.skip_nested().map(|()| 0),
            b'"' => self.scalar().map(|_| 0),
            _ => self.scalar().map(|_| 1),
        }?;
        found.push(MemberPlace { key, value, end: self.passed()? + behind });
        Some(())
    }

    /// Whether the string that begins here is `name`.
    fn says(mut self, name: &str) -> bool {
        match self.quoted() {
            Some([b'"', text @ .., b'"']) if memchr::memchr(b'\\', text).is_none() => text == name.as_bytes(),
            Some(quoted) => text_of(quoted).flatten().is_some_and(|text| text == name),
            None => false,
        }
    }

    /// A string, a number or a boolean; none within for what is no text, and for what is none of these.
    fn scalar(&mut self) -> Option<Option<String>> {
        match self.rest.first()? {
            b'"' => self.string(),
            b'{' | b'[' => Some(None),
            _ => self.literal(),
        }
    }

    /// A number, a boolean or null, which is not given.
    fn literal(&mut self) -> Option<Option<String>> {
        let is_behind = |byte: &u8| matches!(byte, b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
        let end = self.rest.iter().position(is_behind)?;
        let literal = std::str::from_utf8(self.advance(end)?).ok()?;
        match literal {
            "null" => Some(None),
            "true" | "false" => Some(Some(literal.to_owned())),
            _ => is_number(literal.as_bytes()).then(|| Some(literal.to_owned())),
        }
    }

    fn passed(&self) -> Option<u32> {
        u32::try_from(self.length - self.rest.len()).ok()
    }

    fn string(&mut self) -> Option<Option<String>> {
        text_of(self.quoted()?)
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
        while let Some((b' ' | b'\t' | b'\n' | b'\r', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    fn advance(&mut self, by: usize) -> Option<&'a [u8]> {
        let (passed, rest) = self.rest.split_at_checked(by)?;
        self.rest = rest;
        Some(passed)
    }
}

/// What a string with its quotes says; none within if that is no Unicode text.
fn text_of(quoted: &[u8]) -> Option<Option<String>> {
    match serde_json::from_slice(quoted) {
        Ok(text) => Some(Some(text)),
        Err(_) => serde_json::from_slice::<String>(&without_surrogates(quoted)).ok().map(|_| None),
    }
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`, of any size.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, text) = digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
        return false;
    }
    let (fraction_is_right, text) = match text.strip_prefix(b".") {
        Some(text) => {
            let (fraction, text) = digits(text);
            (!fraction.is_empty(), text)
        }
        None => (true, text),
    };
    let exponent_is_right = match text {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            let (exponent, rest) = digits(exponent);
            !exponent.is_empty() && rest.is_empty()
        }
        _ => false,
    };
    fraction_is_right && exponent_is_right
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

/// The string with each escape of a surrogate in the place of which stands that of another character.
fn without_surrogates(quoted: &[u8]) -> Vec<u8> {
    let mut text = quoted.to_vec();
    let mut rest = &mut *text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let Some((_, escape)) = rest.split_at_mut_checked(at) else { break };
        if let [_, b'u', digit @ (b'd' | b'D'), b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] = escape {
            *digit = b'e';
        }
        // What is escaped may be a backslash.
        rest = escape.get_mut(2..).unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each member with its text, in the order of the object.
    fn members(text: &[u8]) -> Vec<(String, Option<String>, u32)> {
        let key =
            |place: &MemberPlace| Reader::at(text, place.key).unwrap().string().unwrap().unwrap_or("?".to_owned());
        let value = |place: &MemberPlace| Reader::at(text, place.value).unwrap().scalar().unwrap();
        JsonMembers::read(text).0.iter().map(|place| (key(place), value(place), place.end)).collect()
    }

    fn read(text: &str) -> String {
        let written = |(key, value, _): &(String, Option<String>, u32)| match value {
            Some(value) => format!("{key}={value};"),
            None => format!("{key};"),
        };
        members(text.as_bytes()).iter().map(written).collect()
    }

    #[test]
    fn members_of_the_outermost_object_are_found_and_nothing_else() {
        for (text, expected) in [
            (r#"{"model":"a-7b","n":2,"stream":true}"#, "model=a-7b;n=2;stream=true;"),
            (r#" { "messages" : [ {"model": "inner"}, "]}" ] , "model" : "outer" }"#, "messages;model=outer;"),
            (r#"{"a":{"b":{"c":1}},"d":-1.5e3,"e":null}"#, "a;d=-1.5e3;e;"),
            (r#"{"a\"b":"\u00e9\n","c":""}"#, "a\"b=é\n;c=;"),
            (r#"{"a":1,"a":2}"#, "a=1;a=2;"),
            (r#"{"a":1,"a":null,"b":1,"b":[2],"c":1,"c":{}}"#, "a=1;a;b=1;b;c=1;c;"),
            (r#"{"a":1e999,"b":-1E+400,"c":0.5e-999,"d":0}"#, "a=1e999;b=-1E+400;c=0.5e-999;d=0;"),
            (r#"{"a":"\ud83d","b":"\ude00\ud83d\n","c":"\ud83d\ude00","\ud83d":1,"d":1}"#, "a;b;c=😀;?=1;d=1;"),
            (r#"{"a":"\\ud83d"}"#, "a=\\ud83d;"),
            ("\u{feff}{\"a\":1}", "a=1;"),
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
        for text in ["", "model=a", "[1]", "\"model\"", "{'a':1}", "{\"a\" 1}", "{\u{c}\"a\":1}", &deep] {
            assert_eq!(read(text), "", "{text:.20}");
        }
        for value in
            ["", "tru", "nul", "NaN", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1_0", "0x1", "1-", "1e5.0"]
        {
            assert_eq!(read(&format!("{{\"a\":{value},\"b\":1}}")), "", "{value}");
        }
        for escape in ["\\x", "\\u12", "\\ud83g", "\t", "\\ud83d\\x"] {
            assert_eq!(read(&format!("{{\"a\":\"{escape}\",\"b\":1}}")), "", "{escape}");
        }
        assert_eq!(members(b"{\"a\":\"\xff\",\"b\":1}"), [], "no UTF-8");
        assert_eq!(members(b"\x1f\x8b\x08\0{\"a\":1}"), [], "compressed");
    }

    #[test]
    fn a_member_is_found_by_what_its_key_says_and_the_last_counts() {
        let text = br#"{"m\u006fdel":"a","q\"":1,"n":1,"n":null,"\ud83d":2,"model":"b"}"#;
        let all = JsonMembers::read(text);

        for (within, name, expected) in [
            (text.len(), "model", Some("b")),
            (text.len() - 2, "model", Some("a")),
            (text.len(), "q\"", Some("1")),
            (text.len(), "n", None),
            (text.len(), "mode", None),
            (text.len(), "m\\u006fdel", None),
            (text.len(), "\u{fffd}", None),
            (text.len(), "\u{e83d}", None),
        ] {
            assert_eq!(all.scalar(text, within, name).as_deref(), expected, "{name} within {within}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_given_of_a_beginning_is_given_of_the_whole(
            text in r#"[ {}\[\]":,\\a1tr\n]{0,40}"#,
            cut in 0..40_usize,
        ) {
            let whole = members(text.as_bytes());
            let part = members(&text.as_bytes()[..cut.min(text.len())]);
            let within: Vec<_> = whole.into_iter().take_while(|found| found.2 as usize <= cut).collect();
            prop_assert_eq!(within, part);
        }
    }
}
