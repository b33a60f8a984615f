//! The composition root: prepare, commit, retire, rollback, reload, serve.
