//! The relay after a switch: idle clock, statistics, websocket frame boundaries for polite closing.
