//! Large files by HTTP: progress, resume, digest, time-out.
