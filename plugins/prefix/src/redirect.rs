//! Where clients are sent: a target in which `$1` and so on stand for the groups of a pattern, and names for what is
//! asked for.

use tidegate_plugin::RequestLine;

use crate::index::Hit;

/// The names that may stand behind a `$`.
const NAMES: [(&str, Piece); 3] = [("host", Piece::Host), ("path", Piece::Path), ("query", Piece::Query)];

/// A redirect's target.
#[derive(Debug)]
pub struct RedirectTarget {
    /// What comes before the fragment.
    pieces: Vec<Piece>,
    /// With its `#`.
    fragment: Vec<Piece>,
    /// What is left of the client's path follows.
    takes_rest: bool,
    /// The client's query follows.
    takes_query: bool,
    /// It ends with the name of a server.
    is_bare_server: bool,
    /// It begins with `//`, and a server.
    keeps_slashes: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// What a group of the rule's pattern holds.
    Group(usize),
    /// The host that is asked for, without its port.
    Host,
    /// The client's path.
    Path,
    /// The client's query, without `?`.
    Query,
}

/// Why a text is no target: one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError(pub String);

/// The target is made of a host, and the request names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHost;

impl RedirectTarget {
    /// Reads a target.
    ///
    /// # Errors
    /// [`TargetError`]
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TargetError(format!("expected a URL without blanks: {text}")));
        }
        let (written, fragment) = text.find('#').map_or((text, ""), |at| text.split_at(at));
        // A query of nothing: the client's is left out.
        let head = written.strip_suffix('?').unwrap_or(written);
        let (pieces, fragment) = (pieces(head)?, pieces(fragment)?);
        let outline: String = pieces.iter().map(Piece::outline).collect();
        let (server, path) = split_server(&outline);
        if server.contains('$') {
            let message =
                format!("neither a group nor $query may name the server, only what follows it; $host may: {text}");
            return Err(TargetError(message));
        }
        let is_bare_server = !server.is_empty() && path.is_empty();
        let has = |wanted: &Piece| pieces.contains(wanted);
        let (takes_rest, takes_query) =
            (!has(&Piece::Path), !has(&Piece::Query) && !outline.contains('?') && head == written);
        let keeps_slashes = head.starts_with("//");
        Ok(Self { takes_rest, takes_query, is_bare_server, keeps_slashes, pieces, fragment })
    }

    /// Whether it names a group of a pattern.
    #[must_use]
    pub fn names_a_group(&self) -> bool {
        self.pieces.iter().chain(&self.fragment).any(|piece| matches!(piece, Piece::Group(_)))
    }

    /// The `Location`: as Apache's `Redirect` what is left of the client's path and its query follow, as `RedirectMatch`
    /// the query alone; no query if the target has one, and nothing of the path where it names that. A fragment stays at
    /// the end, where it means something.
    ///
    /// What a client wrote must not make another server of this: of the path `//evil.example` (browsers read `\` as `/`),
    /// or of `https://h` and a path that begins behind its slash.
    ///
    /// # Errors
    /// [`NoHost`]
    pub fn location(&self, hit: &Hit<'_>, request: &RequestLine) -> Result<String, NoHost> {
        let mut location = String::new();
        fill(&self.pieces, hit, request, &mut location)?;
        if self.takes_rest
            && let Some(rest) = hit.rest.and_then(|rest| request.path.get(rest..))
        {
            // The slash that the route took: `/` leads to `https://h/`.
            let is_taken = request.path.strip_suffix(rest).is_some_and(|taken| taken.ends_with('/'));
            if self.is_bare_server && (is_taken || !rest.is_empty()) && !rest.starts_with('/') {
                location.push('/');
            }
            location.push_str(rest);
        }
        if self.takes_query
            && let Some(query) = &request.query
        {
            location.push('?');
            location.push_str(query);
        }
        fill(&self.fragment, hit, request, &mut location)?;
        let path = location.trim_start_matches(['/', '\\']);
        if self.keeps_slashes || path.len() == location.len() {
            return Ok(location);
        }
        Ok(format!("/{path}"))
    }
}

impl Piece {
    /// What it looks like, as far as that says where the server ends: a `$` for what may be anything.
    fn outline(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Group(_) | Self::Query => "$",
            Self::Host => "host",
            Self::Path => "/",
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, TargetError> {
    let mut parts = text.split('$');
    let mut pieces = vec![Piece::Text(parts.next().unwrap_or_default().to_owned())];
    let mut is_escaped = false;
    for part in parts {
        if std::mem::take(&mut is_escaped) {
            pieces.push(Piece::Text(part.to_owned()));
            continue;
        }
        let name = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(name);
        let (piece, rest) = match name.chars().next().map(|first| (first, first.to_digit(10))) {
            // `$$`, or a `$` before what begins no name: it stands for itself.
            None => {
                is_escaped = part.is_empty();
                (Piece::Text("$".to_owned()), part)
            }
            Some((_, Some(digit))) => {
                (Piece::Group(usize::try_from(digit).unwrap_or_default()), part.get(1..).unwrap_or_default())
            }
            Some(_) => match NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, piece)) => (piece.clone(), rest),
                None => {
                    let message = format!("unknown ${name}, expected $host, $path, $query, $1 to $9, or $$ for a $");
                    return Err(TargetError(message));
                }
            },
        };
        pieces.extend([piece, Piece::Text(rest.to_owned())]);
    }
    Ok(pieces)
}

fn fill(pieces: &[Piece], hit: &Hit<'_>, request: &RequestLine, into: &mut String) -> Result<(), NoHost> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => into.push_str(text),
            Piece::Group(group) => match &hit.groups {
                Some(groups) => into.push_str(groups.get(*group).unwrap_or_default()),
                // A prefix has none.
                None => {
                    into.push('$');
                    into.push_str(&group.to_string());
                }
            },
            Piece::Host if request.host.is_empty() => return Err(NoHost),
            Piece::Host => into.push_str(&request.host),
            Piece::Path => into.push_str(&request.path),
            Piece::Query => match &request.query {
                Some(query) => into.push_str(query),
                None if into.ends_with(['?', '&']) => {
                    into.pop();
                }
                None => {}
            },
        }
    }
    Ok(())
}

/// What names the server in a redirect's target, and what follows; read as browsers do: any run of `/` and `\` begins
/// it. For a path the first is empty.
pub(crate) fn split_server(to: &str) -> (&str, &str) {
    let is_scheme = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let rest = match to.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ if to.starts_with("//") => to,
        _ => return ("", to),
    };
    let rest = rest.trim_start_matches(['/', '\\']);
    rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()))
}

#[cfg(test)]
mod tests;
