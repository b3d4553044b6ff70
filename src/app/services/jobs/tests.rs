use super::*;

fn wait<T>(job: &mut Job<T>) -> Outcome<T> {
    let begin = Instant::now();
    loop {
        if let Some(outcome) = job.poll() {
            return outcome;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "the job never ended");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_panic_becomes_a_message_that_names_the_job() {
    let jobs = Jobs::new(&egui::Context::default());
    let mut job = jobs.start("Checking images", |_| -> anyhow::Result<()> { panic!("index 7") });
    let Outcome::Failed(message) = wait(&mut job) else { panic!("expected a failure") };
    assert!(message.contains("Checking images") && message.contains("index 7"), "{message}");
    assert!(jobs.running().is_empty());
}

#[test]
fn cancelling_ends_the_work_and_the_result_is_dropped() {
    let jobs = Jobs::new(&egui::Context::default());
    let mut job = jobs.start("Counting", |progress| {
        while progress.keep_going() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(1)
    });
    assert_eq!(jobs.running().len(), 1);
    job.cancel();
    assert!(matches!(wait(&mut job), Outcome::Cancelled));
}

#[test]
fn a_whole_job_is_not_cancelled_and_its_result_is_not_lost() {
    let jobs = Jobs::new(&egui::Context::default());
    let (go, wait_for_go) = bounded::<()>(1);
    let job = jobs.start_whole("Saving labels", move |_| {
        wait_for_go.recv()?;
        Ok(1)
    });
    job.cancel();
    go.send(()).unwrap();
    assert!(matches!(job.wait(), Outcome::Done(1)));
}

#[test]
fn a_thread_that_waits_for_requests_is_no_work_to_wait_for() {
    let jobs = Jobs::new(&egui::Context::default());
    let (ask, requests) = bounded::<()>(1);
    let mut standing = jobs.start_standing("Predicting", move |_| Ok(requests.iter().count()));
    assert!(!jobs.is_any_running() && jobs.running().is_empty());
    drop(ask);
    assert!(matches!(wait(&mut standing), Outcome::Done(0)));
}

#[test]
fn the_jobs_of_the_status_bar_say_when_they_begin_and_end() {
    let jobs = Jobs::new(&egui::Context::default());
    drop(wait(&mut jobs.start_quietly("Filtering", |_| Ok(()))));
    drop(wait(&mut jobs.start_whole("Saving", |_| Ok(()))));
    let mut counting = jobs.start("Counting", |progress| {
        while progress.keep_going() {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    });
    counting.cancel();
    drop(wait(&mut counting));
    drop(wait(&mut jobs.start("Failing", |_| -> anyhow::Result<()> { anyhow::bail!("told by its owner") })));
    let told: Vec<String> = jobs.news().map(|news| news.told()).collect();
    let expected = [
        "Started: Saving",
        "Finished: Saving",
        "Started: Counting",
        "Cancelled: Counting",
        "Started: Failing",
    ];
    assert_eq!(told, expected);
    let done = JobNews { title: "Checking images".to_owned(), what: JobStep::Done(Duration::from_secs(65)) };
    assert_eq!(done.told(), "Finished: Checking images, in 1:05");
}

#[test]
fn a_quiet_job_is_not_in_the_status_bar() {
    let jobs = Jobs::new(&egui::Context::default());
    let (go, wait_for_go) = bounded::<()>(1);
    let mut job = jobs.start_quietly("Asking for a file", move |_| {
        wait_for_go.recv()?;
        Ok(())
    });
    assert!(jobs.running().is_empty());
    go.send(()).unwrap();
    assert!(matches!(wait(&mut job), Outcome::Done(())));
}

#[test]
fn a_window_that_goes_waits_for_its_jobs_and_not_for_those_that_ask_the_user() {
    let jobs = Jobs::new(&egui::Context::default());
    let (answer, question) = bounded::<()>(1);
    let _asking = jobs.start_asking("Choosing a file", move |_| Ok(question.recv()?));
    let ended = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&ended);
    let job = jobs.start_quietly("Predicting", move |progress| {
        while progress.keep_going() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(100));
        set.store(true, Ordering::Relaxed);
        Ok(())
    });
    assert!(!jobs.wait_for_end(Duration::from_millis(20)), "it goes on");
    drop(job);
    assert!(jobs.wait_for_end(Duration::from_secs(10)));
    assert!(ended.load(Ordering::Relaxed));
    drop(answer);
}
