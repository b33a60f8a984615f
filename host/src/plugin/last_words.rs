//! What a plugin said last before it failed: an error that it logged, or the end of its standard error, as the runtimes
//! of languages write it.
//!
//! ```text
//! Rust       panicked at src/lib.rs:10:5:          Python  Traceback (most recent call last):
//!            no zone                                         File "app.py", line 12, in pick
//! Go         panic: no zone                                KeyError: 'zone'
//!            goroutine 1 [running]: …              others  the last line; lines "at …" below it say where
//! ```

use super::text::{one_line, printable};

/// Bytes of the words that are kept.
const WORDS_BYTES: usize = 1024;

/// Words of Rust's standard library, and what to do.
const REMEDIES: [(&str, &str); 4] = [
    (
        "time not implemented on this platform",
        " (`Instant` and `SystemTime` are not there: use `clock::now()` of the SDK)",
    ),
    ("can't sleep", " (`thread::sleep` is not there: return at once, and compare times of `clock::now()`)"),
    ("failed to spawn thread", " (a plugin has one thread: do the work in the call)"),
    (
        "operation not supported on this platform",
        " (files, the network and threads are not there: hand in what is needed by `config`)",
    ),
];

/// Collects the words of one call, line by line.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    form: Form,
    words: String,
    /// Where it happened, if that is said apart.
    place: Option<String>,
}

/// What the lines so far have been, which says what the next one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Line,
    /// A Rust panic: its message follows.
    RustPanic,
    /// What followed is said: a note, a backtrace.
    RustNote,
    /// A Go panic or fatal error, and the stacks of its goroutines.
    Go,
    /// The calls in a Python traceback; the exception comes last.
    Traceback,
    /// An exception that was said whole: that the interpreter panics over it says no more.
    Exception,
}

impl LastWords {
    /// The words as one line.
    pub(super) fn sentence(&self) -> Option<String> {
        if self.words.is_empty() {
            return None;
        }
        if let Some(exception) = quickjs_exception(&self.words) {
            return Some(exception);
        }
        Some(match &self.place {
            Some(place) => one_line(format_args!("{} ({place})", self.words)),
            None => printable(&self.words).into_owned(),
        })
    }

    /// An error that the plugin logs, in as many lines as it likes.
    pub(super) fn note_error(&mut self, message: &str) {
        *self = Self::default();
        for line in message.lines().filter(|line| !line.trim().is_empty()) {
            match self.form {
                Form::Line if !self.words.is_empty() => self.add(line.trim()),
                _ => self.note_line(line),
            }
        }
    }

    /// A line of standard error, which is not empty.
    pub(super) fn note_line(&mut self, line: &str) {
        let text = line.trim();
        let whole = self.form == Form::Exception;
        if let Some(panic) = text.find("panicked at ").and_then(|at| text.get(at..)) {
            if !whole {
                self.begin(Form::RustPanic, panic);
            }
        } else if line.starts_with("panic: ") || line.starts_with("fatal error: ") {
            self.begin(Form::Go, text);
        } else if text.starts_with("Traceback (most recent call last)") {
            self.begin(Form::Traceback, "");
        } else {
            self.follow(line, text);
        }
    }

    fn follow(&mut self, line: &str, text: &str) {
        let indented = line.starts_with([' ', '\t']);
        match self.form {
            Form::RustPanic if text.starts_with("note: ") || text.starts_with("stack backtrace:") => {
                self.form = Form::RustNote;
            }
            Form::RustPanic => self.add(text),
            Form::RustNote => {}
            Form::Go if self.place.is_none() && line.starts_with('\t') => self.place = go_place(text),
            Form::Go => {}
            Form::Traceback if text.starts_with("File \"") => self.place = python_place(text),
            Form::Traceback if indented => {}
            Form::Traceback => {
                self.words.clear();
                self.add(text);
                self.form = Form::Exception;
            }
            Form::Exception => {}
            Form::Line if indented && text.starts_with("at ") && !self.words.is_empty() => {
                self.place.get_or_insert_with(|| cut(text).to_owned());
            }
            Form::Line => self.begin(Form::Line, text),
        }
    }

    fn begin(&mut self, form: Form, words: &str) {
        *self = Self { form, ..Self::default() };
        self.add(words);
    }

    fn add(&mut self, words: &str) {
        let room = WORDS_BYTES.saturating_sub(self.words.len());
        if !self.words.is_empty() && room > 0 {
            self.words.push(' ');
        }
        self.words.push_str(words.get(..words.floor_char_boundary(room)).unwrap_or_default());
    }
}

/// What an author does instead, who asked Rust's standard library for what a plugin does not have. The library says
/// where it is built itself, and not who called it. Starts with " (".
pub(super) fn remedy(words: &str) -> Option<&'static str> {
    REMEDIES.iter().find(|(said, _)| words.contains(said)).map(|(_, remedy)| *remedy)
}

/// `main.go:33` of `/src/plugin/main.go:33 +0x5`; none for the runtime's own files.
fn go_place(text: &str) -> Option<String> {
    let place = text.split_whitespace().next()?;
    let own = !place.contains("/src/runtime/") && !place.starts_with("runtime/");
    (own && place.contains(".go:")).then(|| cut(place.rsplit('/').next().unwrap_or(place)).to_owned())
}

/// `no zone (at pick (/balancer.js:3:10))` of the panic of componentize-qjs about an exception, which holds it as Rust
/// prints a structure: `Failed to call 'pick': Exception(Exception { message: Some("no zone"), stack: Some("    at pick
/// (/balancer.js:3:10)\n") })`.
fn quickjs_exception(words: &str) -> Option<String> {
    let (_, exception) = words.split_once("Exception { message: Some(\"")?;
    let (message, stack) = exception.split_once("\"), stack: ")?;
    let place = stack.strip_prefix("Some(\"").and_then(|stack| stack.trim_start().split(['\\', '"']).next());
    let message = message.replace("\\\"", "\"").replace("\\n", " ");
    Some(match place.filter(|place| place.starts_with("at ")) {
        Some(place) => one_line(format_args!("{message} ({place})")),
        None => one_line(message),
    })
}

/// `app.py:12, in pick` of `File "app.py", line 12, in pick`.
fn python_place(text: &str) -> Option<String> {
    let (file, rest) = text.strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    let place = if function.is_empty() { format!("{file}:{line}") } else { format!("{file}:{line}, in {function}") };
    Some(cut(&place).to_owned())
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(WORDS_BYTES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &str) -> Option<String> {
        let mut words = LastWords::default();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            words.note_line(line);
        }
        words.sentence()
    }

    #[test]
    fn the_last_words_of_each_language_are_a_sentence_with_a_place() {
        for (lines, expected) in [
            (
                "\nthread '<unnamed>' (1) panicked at src/lib.rs:10:5:\nassertion `left == right` failed\n  left: 1\n \
                 right: 2\nnote: run with `RUST_BACKTRACE=1`\nmore",
                "panicked at src/lib.rs:10:5: assertion `left == right` failed left: 1 right: 2",
            ),
            (
                "before\npanic: runtime error: index out of range [5] with length 3\n\ngoroutine 1 [running]:\n\
                 panic({0x1, 0x2})\n\t/opt/go/src/runtime/panic.go:783 +0x10\nmain.pick(...)\n\
                 \t/home/me/plugin/main.go:33 +0x5\nmain.Pick()\n\t/home/me/plugin/main.go:20 +0x5",
                "panic: runtime error: index out of range [5] with length 3 (main.go:33)",
            ),
            (
                "fatal error: all goroutines are asleep - deadlock!",
                "fatal error: all goroutines are asleep - deadlock!",
            ),
            (
                "Traceback (most recent call last):\n  File \"app.py\", line 3, in pick\n    choose()\n    ~~~~~~^^\n  \
                 File \"app.py\", line 12, in choose\nKeyError: 'zone'",
                "KeyError: 'zone' (app.py:12, in choose)",
            ),
            (
                "Traceback (most recent call last):\n  File \"app.py\", line 6, in pick\nAttributeError: no zone\n\nthread \
                 '<unnamed>' (1) panicked at runtime/src/lib.rs:1280:25:\nPython function threw an unexpected exception",
                "AttributeError: no zone (app.py:6, in pick)",
            ),
            (
                "Uncaught Error: no zone\n    at pick (balancer.js:3:10)\n    at call (native)",
                "Uncaught Error: no zone (at pick (balancer.js:3:10))",
            ),
            (
                "thread '<unnamed>' (1) panicked at crates/runtime/src/interpreter.rs:51:31:\nFailed to call 'pick': \
                 Exception(Exception { message: Some(\"no \\\"zone\\\" for 0\"), stack: Some(\"    at pick \
                 (/js-throw.js:1:126)\\n    at call (native)\\n\") })",
                "no \"zone\" for 0 (at pick (/js-throw.js:1:126))",
            ),
            ("one\nAssertion failed: n > 0 (c.c: pick: 12)", "Assertion failed: n > 0 (c.c: pick: 12)"),
        ] {
            assert_eq!(after(lines).as_deref(), Some(expected));
        }
        assert_eq!(after(""), None);
    }

    #[test]
    fn a_logged_error_is_taken_whole_and_comes_after_what_was_written_before() {
        let mut words = LastWords::default();
        words.note_line("before");

        words.note_error("panicked at src/lib.rs:10:5:\nno zone");
        assert_eq!(words.sentence().as_deref(), Some("panicked at src/lib.rs:10:5: no zone"));

        words.note_error("no zone\nnor region");
        assert_eq!(words.sentence().as_deref(), Some("no zone nor region"));
    }

    #[test]
    fn what_the_standard_library_does_not_have_is_said_with_what_there_is() {
        let panic = "panicked at /rustc/1/library/std/src/sys/time/unsupported.rs:13:9: ";

        assert!(remedy(&format!("{panic}time not implemented on this platform")).unwrap().contains("`clock::now()`"));
        assert!(remedy(&format!("{panic}can't sleep")).unwrap().contains("`thread::sleep`"));
        assert_eq!(remedy("panicked at src/lib.rs:1:1: no time"), None);
    }

    #[test]
    fn words_are_bounded_and_printable() {
        let long = "ä".repeat(5_000);

        assert!(after(&format!("panicked at x:\n{long}\n{long}")).unwrap().len() <= WORDS_BYTES + 1);
        assert_eq!(after("a\u{1b}[31m").as_deref(), Some("a\\u{1b}[31m"));
    }
}
