//! Server side by SNI, client side per cluster, certificates that reload.
