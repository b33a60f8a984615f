//! The macro lines that turn an `impl` into exports.
//!
//! Each puts the instance into a cell and forwards the contract's plain functions to it. Natively they expand to a check
//! of the types alone, so that the same crate links into tests.

/// Exports a [`Balancer`](crate::Balancer): `export_balancer!(Mine);`, or with optional interfaces
/// `export_balancer!(Mine + Feedback + Handover + Describe);`.
#[macro_export]
macro_rules! export_balancer {
    ($plugin:ident $(+ $option:ident)* $(,)?) => {
        const _: () = {
            $crate::__instance!($plugin: Balancer);

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::balancing::exports::tidegate::plugin::balancer::Guest for Exported {
                fn configure(
                    config: ::std::string::String,
                    endpoints: ::std::vec::Vec<$crate::Endpoint>,
                ) -> ::std::result::Result<(), ::std::vec::Vec<$crate::ConfigError>> {
                    INSTANCE.with(|cell| cell.configure(|| <$plugin as $crate::Balancer>::configure(&config, endpoints)))
                }

                fn pick(
                    eligible: ::std::vec::Vec<u32>,
                    busy: ::std::vec::Vec<u32>,
                    affinity: ::std::option::Option<u32>,
                ) -> ::std::option::Option<u32> {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Balancer::pick(it, $crate::Candidates::new(&eligible, &busy), affinity)))
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::balancing::export!(Exported with_types_in $crate::bindings::balancing);

            $($crate::__option!($option $plugin);)*
        };
    };
}

/// Exports a [`Chooser`](crate::Chooser): `export_chooser!(Mine);`, or with optional interfaces
/// `export_chooser!(Mine + Feedback + Handover + Describe);`.
#[macro_export]
macro_rules! export_chooser {
    ($plugin:ident $(+ $option:ident)* $(,)?) => {
        const _: () = {
            $crate::__instance!($plugin: Chooser);

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::choosing::exports::tidegate::plugin::chooser::Guest for Exported {
                fn configure(
                    config: ::std::string::String,
                    endpoints: ::std::vec::Vec<$crate::Endpoint>,
                ) -> ::std::result::Result<(), ::std::vec::Vec<$crate::ConfigError>> {
                    INSTANCE.with(|cell| cell.configure(|| <$plugin as $crate::Chooser>::configure(&config, endpoints)))
                }

                fn choose(
                    eligible: ::std::vec::Vec<u32>,
                    busy: ::std::vec::Vec<u32>,
                    affinity: ::std::option::Option<u32>,
                ) -> $crate::Choice {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Chooser::choose(it, $crate::Candidates::new(&eligible, &busy), affinity)))
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::choosing::export!(Exported with_types_in $crate::bindings::choosing);

            $($crate::__option!($option $plugin);)*
        };
    };
}

/// Exports a [`Router`](crate::Router): `export_router!(Mine);` or `export_router!(Mine + Repeats + Describe);`.
#[macro_export]
macro_rules! export_router {
    ($plugin:ident $(+ $option:ident)* $(,)?) => {
        const _: () = {
            $crate::__instance!($plugin: Router);

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::routing::exports::tidegate::plugin::router::Guest for Exported {
                fn configure(
                    config: ::std::string::String,
                    clusters: ::std::vec::Vec<::std::string::String>,
                ) -> ::std::result::Result<(), ::std::vec::Vec<$crate::ConfigError>> {
                    INSTANCE.with(|cell| cell.configure(|| <$plugin as $crate::Router>::configure(&config, clusters)))
                }

                fn route(request: $crate::RequestLine) -> $crate::Decision {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Router::route(it, &request)))
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::routing::export!(Exported with_types_in $crate::bindings::routing);

            $($crate::__option!($option $plugin);)*
        };
    };
}

/// Exports a [`Rewriter`](crate::Rewriter): `export_rewriter!(Mine);` or `export_rewriter!(Mine + Describe);`.
#[macro_export]
macro_rules! export_rewriter {
    ($plugin:ident $(+ $option:ident)* $(,)?) => {
        const _: () = {
            $crate::__instance!($plugin: Rewriter);

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::rewriting::exports::tidegate::plugin::rewriter::Guest for Exported {
                fn configure(
                    config: ::std::string::String,
                ) -> ::std::result::Result<::std::vec::Vec<::std::string::String>, ::std::vec::Vec<$crate::ConfigError>>
                {
                    INSTANCE.with(|cell| {
                        cell.configure(|| <$plugin as $crate::Rewriter>::configure(&config))?;
                        ::std::result::Result::Ok(cell.with(|it| $crate::Rewriter::interest(it)))
                    })
                }

                fn rewrite(
                    context: $crate::Context,
                    status: u32,
                    headers: ::std::vec::Vec<$crate::Field>,
                ) -> ::std::vec::Vec<$crate::Edit> {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Rewriter::rewrite(it, &context, status, &headers)))
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::rewriting::export!(Exported with_types_in $crate::bindings::rewriting);

            $($crate::__option!($option $plugin);)*
        };
    };
}

/// The cell and the carrier of the generated exports.
#[doc(hidden)]
#[macro_export]
macro_rules! __instance {
    ($plugin:ident: $role:ident) => {
        const _: fn() = || {
            fn implements<T: $crate::$role>() {}
            implements::<$plugin>();
        };

        #[cfg(target_arch = "wasm32")]
        ::std::thread_local! {
            static INSTANCE: $crate::instance::Cell<$plugin> = const { $crate::instance::Cell::new() };
        }

        #[cfg(target_arch = "wasm32")]
        struct Exported;
    };
}

/// One optional interface. Only inside the `const` of a role, where `INSTANCE` and `Exported` are.
#[doc(hidden)]
#[macro_export]
macro_rules! __option {
    (Feedback $plugin:ident) => {
        const _: () = {
            const _: fn() = || {
                fn implements<T: $crate::Feedback>() {}
                implements::<$plugin>();
            };

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::feeding_back::exports::tidegate::plugin::feedback::Guest for Exported {
                fn opened(endpoint: u32) {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Feedback::opened(it, endpoint)));
                }

                fn closed(endpoint: u32, outcome: $crate::Outcome) {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Feedback::closed(it, endpoint, outcome)));
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::feeding_back::export!(Exported with_types_in $crate::bindings::feeding_back);
        };
    };
    (Handover $plugin:ident) => {
        const _: () = {
            const _: fn() = || {
                fn implements<T: $crate::Handover>() {}
                implements::<$plugin>();
            };

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::handing_over::exports::tidegate::plugin::handover::Guest for Exported {
                fn save() -> ::std::vec::Vec<u8> {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Handover::save(it)))
                }

                fn restore(state: ::std::vec::Vec<u8>) -> ::std::result::Result<(), ::std::string::String> {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Handover::restore(it, &state)))
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::handing_over::export!(Exported with_types_in $crate::bindings::handing_over);
        };
    };
    (Preview $plugin:ident) => {
        const _: () = {
            const _: fn() = || {
                fn implements<T: $crate::Preview>() {}
                implements::<$plugin>();
            };

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::previewing::exports::tidegate::plugin::preview::Guest for Exported {
                fn wants() -> $crate::Sight {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Preview::wants(it)))
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::previewing::export!(Exported with_types_in $crate::bindings::previewing);
        };
    };
    (Repeats $plugin:ident) => {
        const _: () = {
            const _: fn() = || {
                fn implements<T: $crate::Repeats>() {}
                implements::<$plugin>();
            };

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::repeating::exports::tidegate::plugin::repetition::Guest for Exported {
                fn repeats() -> bool {
                    INSTANCE.with(|cell| cell.with(|it| $crate::Repeats::repeats(it)))
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::repeating::export!(Exported with_types_in $crate::bindings::repeating);
        };
    };
    (Describe $plugin:ident) => {
        const _: () = {
            const _: fn() = || {
                fn implements<T: $crate::Describe>() {}
                implements::<$plugin>();
            };

            #[cfg(target_arch = "wasm32")]
            impl $crate::bindings::describing::exports::tidegate::plugin::describe::Guest for Exported {
                fn description() -> $crate::About {
                    <$plugin as $crate::Describe>::description()
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::describing::export!(Exported with_types_in $crate::bindings::describing);
        };
    };
    ($other:ident $plugin:ident) => {
        ::std::compile_error!(concat!(
            "expected Feedback, Handover, Preview, Repeats or Describe, found ",
            stringify!($other)
        ));
    };
}
