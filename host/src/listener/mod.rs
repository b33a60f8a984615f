//! Bind early, accept late, limits per listener and per client.
