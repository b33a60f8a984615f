//! The writer before slow readers, full sinks and files that were moved away.

use std::sync::mpsc::{Receiver, channel};

use super::*;

const LIMIT: Duration = Duration::from_secs(30);

fn writer(sink: impl Write + Send + 'static, reopen: Option<Reopen>) -> Writer {
    Writer::start(WriterPlan { name: "lines", sink: Box::new(sink), reopen, gather: Duration::ZERO }).unwrap()
}

/// Takes what it is given into one buffer, as often as it gets leave; without leave it is full.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<(usize, Vec<u8>)>>);

impl Pipe {
    fn holds(&self, text: &str) -> bool {
        let limit = Instant::now() + LIMIT;
        while Instant::now() < limit {
            if self.0.lock().1 == text.as_bytes() {
                return true;
            }
            thread::yield_now();
        }
        false
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.0.lock();
        let taken = inner.0.min(bytes.len());
        inner.0 -= taken;
        inner.1.extend_from_slice(&bytes[..taken]);
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Stops whoever writes to it.
struct Stuck(Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_slow_reader_cannot_take_is_counted() {
    let (release, gate) = channel();
    let writer = writer(Stuck(gate), None);

    let line = vec![b'x'; 1 << 20];
    for _ in 0..32 {
        writer.push(&line);
    }

    assert!(writer.dropped() >= 20, "at most a batch and the pending limit are held: {}", writer.dropped());
    drop(release);
}

#[test]
fn what_is_full_is_written_on_where_it_stopped() {
    let pipe = Pipe::default();
    let writer = writer(pipe.clone(), None);

    writer.push(b"one\n");
    writer.push(b"two\n");
    pipe.0.lock().0 = 5;
    assert!(pipe.holds("one\nt"));
    pipe.0.lock().0 = 1000;

    assert!(pipe.holds("one\ntwo\n"));
    assert_eq!(writer.dropped(), 0);
}

#[test]
fn a_full_sink_is_given_up_for_a_new_one_and_what_it_did_not_take_is_counted() {
    let (old, new) = (Pipe::default(), Pipe::default());
    new.0.lock().0 = 1000;
    let fresh = new.clone();
    let writer = writer(old.clone(), Some(Box::new(move || Ok(Box::new(fresh.clone()) as Sink))));
    old.0.lock().0 = 6;
    writer.push(b"one\ntwo\nthree\n");
    assert!(old.holds("one\ntw"));

    writer.reopen();
    writer.push(b"four\n");

    assert!(new.holds("four\n"), "a new file begins with a whole line");
    assert_eq!(writer.dropped(), 2);
}

#[test]
fn a_line_that_broke_off_does_not_swallow_the_next() {
    struct Failing(Pipe, bool);
    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0.write(bytes) {
                Err(_full) if !std::mem::replace(&mut self.1, true) => Err(io::ErrorKind::StorageFull.into()),
                other => other,
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let pipe = Pipe::default();
    pipe.0.lock().0 = 2;
    let writer = writer(Failing(pipe.clone(), false), None);
    writer.push(b"first\n");
    assert!(pipe.holds("fi"));
    writer.flush(LIMIT);
    pipe.0.lock().0 = 1000;

    writer.push(b"second\n");

    assert!(pipe.holds("fi\nsecond\n"));
    assert_eq!(writer.dropped(), 1);
}

#[test]
fn the_end_waits_for_what_is_pending_but_not_for_a_reader_who_has_stopped() {
    let pipe = Pipe::default();
    let first = writer(pipe.clone(), None);
    pipe.0.lock().0 = 1000;
    first.push(b"last\n");
    drop(first);
    assert_eq!(pipe.0.lock().1, b"last\n", "written when it has been dropped");

    let full = writer(Pipe::default(), None);
    full.push(b"never\n");
    let began = Instant::now();
    drop(full);
    assert!(began.elapsed() < LIMIT, "dropping gives up");
}
