//! Why something was refused, in the terms of the control port.

use crate::config::ChangeError;
use crate::control::{ControlError, FaultView};
use crate::diagnose::FileFault;
use crate::gateway::changes::ChangeRefused;
use crate::gateway::error::PrepareError;
use crate::gateway::reload::ReloadError;

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
        ReloadError::Config(faults) | ReloadError::Prepare(PrepareError::PluginConfig { faults, .. }) => {
            ControlError::Faults(faults.faults.iter().map(config_fault).collect())
        }
        ReloadError::Draining | ReloadError::Prepare(_) | ReloadError::Several { .. } => {
            ControlError::Faults(vec![FaultView { message: error.to_string(), hint: error.hint() }])
        }
    }
}

fn config_fault(error: &FileFault) -> FaultView {
    let bare = FileFault { hint: None, ..error.clone() };
    FaultView { message: bare.to_string(), hint: error.hint.clone() }
}
