//! Serving connections, bodies, hop-by-hop, forwarded headers, upgrade detection, error replies.
