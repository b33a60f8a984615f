//! Who the members of a cluster are: names with several addresses, and counts that clusters share.

mod count;
mod names;
