//! The vocabulary of the wire: byte-counting io, replay of read bytes, socket options.
