//! Endpoints, live counters, leases, eligibility, the registry, select.
