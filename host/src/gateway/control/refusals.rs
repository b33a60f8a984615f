//! Why something was refused, in the terms of the control port.

use crate::config::ChangeError;
use crate::control::{ControlError, FaultView};
use crate::diagnose::FileFault;
use crate::gateway::changes::ChangeRefused;
use crate::gateway::error::PrepareError;
use crate::gateway::reload::{ReloadError, show_waiting};
use crate::plugin::TableError;

pub(super) fn of_runtime_change(error: ChangeRefused) -> ControlError {
    match error {
        ChangeRefused::Change(error) => of_change(error),
        ChangeRefused::Prepare(error) => of_reload(&ReloadError::Prepare(error)),
        ChangeRefused::Draining => of_reload(&ReloadError::Draining),
        ChangeRefused::Persist(error) => ControlError::Failed(format!("nothing has changed: {error}")),
    }
}

pub(super) fn of_change(error: ChangeError) -> ControlError {
    let (text, hint) = (error.to_string(), error.hint());
    match error {
        ChangeError::NoCluster { known, .. } | ChangeError::NoEndpoint { known, .. } => {
            ControlError::Unknown { error: text, known }
        }
        _ => ControlError::Conflict { error: text, hint },
    }
}

pub(super) fn of_reload(error: &ReloadError) -> ControlError {
    match error {
        ReloadError::NoEarlier => ControlError::NoEarlier,
        ReloadError::Config(faults) => ControlError::Faults(faults.faults.iter().map(config_fault).collect()),
        ReloadError::Prepare(error) => ControlError::Faults(faults_of(error)),
        ReloadError::Several { refused, waiting } => {
            let waiting = show_waiting(waiting).trim().to_owned();
            let waiting = (!waiting.is_empty()).then_some(FaultView { message: waiting, hint: None });
            ControlError::Faults(refused.iter().flat_map(faults_of).chain(waiting).collect())
        }
        ReloadError::Draining => {
            ControlError::Faults(vec![FaultView { message: error.to_string(), hint: error.hint() }])
        }
    }
}

pub(super) fn no_plugin<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> ControlError {
    ControlError::Unknown { error: format!("no plugin `{name}`"), known: known.cloned().collect() }
}

pub(super) fn no_table(name: &str) -> ControlError {
    let hint = "write `table = \"FILE\"` in the plugin's section, with the path of a file that exists; it may be empty";
    ControlError::Conflict { error: format!("plugin `{name}` has no `table` to fill"), hint: Some(hint) }
}

pub(super) fn of_table(error: &TableError) -> ControlError {
    match error {
        TableError::Content { .. } => ControlError::Faults(vec![FaultView { message: error.to_string(), hint: None }]),
        _ => ControlError::Failed(format!("nothing has changed: {error}")),
    }
}

fn faults_of(error: &PrepareError) -> Vec<FaultView> {
    match error {
        PrepareError::PluginConfig { faults, .. } => faults.faults.iter().map(config_fault).collect(),
        _ => vec![FaultView { message: error.to_string(), hint: error.hint() }],
    }
}

fn config_fault(error: &FileFault) -> FaultView {
    let bare = FileFault { hint: None, ..error.clone() };
    FaultView { message: bare.to_string(), hint: error.hint.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_reasons_is_a_fault_of_its_own() {
        let bind = |port: u16| PrepareError::Bind {
            address: ([127, 0, 0, 1], port).into(),
            source: std::io::Error::other("taken"),
        };
        let error = ReloadError::Several { refused: vec![bind(1), bind(2)], waiting: vec!["quiet".to_owned()] };

        let ControlError::Faults(faults) = of_reload(&error) else { panic!("{error}") };

        let messages: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert!(messages[0].contains("127.0.0.1:1") && messages[1].contains("127.0.0.1:2"), "{messages:?}");
        assert!(messages[2].starts_with("waiting") && messages[2].ends_with("plugin quiet"), "{messages:?}");
    }
}
