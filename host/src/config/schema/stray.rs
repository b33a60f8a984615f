//! Keys and values by the names and in the forms that other programs have for them.

/// What to write in place of the unknown `name` in the table at `path`.
pub(super) fn key(path: &str, name: &str) -> Option<String> {
    let last = path.rsplit('.').next().unwrap_or(path);
    if let "request_headers" | "response_headers" = last {
        return headers_key(name);
    }
    Some(match (last, name) {
        (_, "connect" | "response" | "tunnel_idle" | "tunnel_ping") if has_timeouts(path) => {
            format!("write `timeouts = {{ {name} = \"30s\" }}`")
        }
        ("timeouts", "ping" | "ping_interval") => "did you mean `tunnel_ping`?".to_owned(),
        ("timeouts", "idle") => "did you mean `tunnel_idle`?".to_owned(),
        ("route", "auth_basic" | "auth_basic_user_file" | "auth" | "htpasswd") => {
            "write `basic_auth = { file = \"users.htpasswd\" }`".to_owned()
        }
        ("route", "auth_request") => "write `forward_auth = { cluster = \"NAME\", path = \"/verify\" }`".to_owned(),
        ("forward_auth", "url" | "uri" | "address") => {
            "write `cluster` and `path`: the server is an endpoint of a [cluster.NAME]".to_owned()
        }
        _ => return None,
    })
}

fn headers_key(name: &str) -> Option<String> {
    Some(match name {
        "add" => "did you mean `append`?".to_owned(),
        "setifempty" | "default" => "did you mean `set_if_absent`?".to_owned(),
        "unset" | "delete" => "did you mean `remove`?".to_owned(),
        // A field of its own.
        _ if name.contains(|c: char| c == '-' || c.is_ascii_uppercase()) => {
            format!("write `set = {{ {name} = \"…\" }}`")
        }
        _ => return None,
    })
}

fn has_timeouts(path: &str) -> bool {
    matches!(path, "route" | "gateway") || path.strip_prefix("cluster.").is_some_and(|name| !name.contains('.'))
}

/// How a table is written of which there is a text alone: `quoted`, with its quotes.
pub(super) fn table_of_text(key: &str, quoted: &str) -> Option<String> {
    Some(match key {
        "basic_auth" => format!("write `basic_auth = {{ file = {quoted} }}`"),
        "error_pages" => format!("write `error_pages = {{ 5xx = {quoted} }}`"),
        "forward_auth" => {
            "write `forward_auth = { cluster = \"NAME\", path = \"/verify\" }`: the server is an endpoint of a \
             [cluster.NAME]"
                .to_owned()
        }
        _ => return None,
    })
}
