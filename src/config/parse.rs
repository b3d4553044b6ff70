//! YAML text -> [`Config`](super::Config), with located errors.
