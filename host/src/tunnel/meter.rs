//! What is counted of a tunnel.

/// Counts every byte as it flows. What it counted survives the relay being dropped half-way.
pub trait Meter: Unpin {
    /// Bytes that went towards the endpoint.
    fn to_endpoint(&mut self, bytes: usize);
    /// Bytes that went towards the client.
    fn to_client(&mut self, bytes: usize);
    /// A ping of the gateway's own that went to the client.
    fn pinged_client(&mut self);
    /// … to the endpoint.
    fn pinged_endpoint(&mut self);
}
