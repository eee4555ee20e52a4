//! A headless Chromium and its driver, of this machine: what somebody sees and does who sits before it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use local::TemporaryFolder;
use local::kernel::Identity;
use rustix::process::Signal;
use serde_json::{Value, json};
use tests::{eventually, within};
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel, TypingData};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Whatever the page does is seen in this time, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(20);
/// Set to 1, the tests with a browser are left out.
const WITHOUT: &str = "ATELIER_WITHOUT_BROWSER";
/// A folder for the screenshots; else a temporary one, which stays when a test fails.
const SCREENSHOTS: &str = "ATELIER_SCREENSHOTS";

pub(super) struct Browser {
    driver: WebDriver,
    driver_process: Child,
    folder: TemporaryFolder,
    screenshots: PathBuf,
}

impl Browser {
    /// None when this machine is to be tested without one.
    ///
    /// # Panics
    /// When there is none, and nobody said so.
    #[allow(
        clippy::print_stdout,
        reason = "for whoever asks for the output: where the screenshots are, or that there are none"
    )]
    pub(super) async fn start() -> Option<Browser> {
        if env::var(WITHOUT).is_ok_and(|value| value == "1") {
            println!("left out, because {WITHOUT} is 1: nothing was tested");
            return None;
        }
        let (Some(driver), Some(browser)) =
            (on_the_path(&["chromedriver"]), on_the_path(&["chromium", "chromium-browser", "google-chrome"]))
        else {
            panic!(
                "this test needs Chromium and its driver: on Debian and Ubuntu \
                 `apt-get install --no-install-recommends chromium chromium-driver`; without them set {WITHOUT}=1"
            );
        };
        let folder = TemporaryFolder::new("browser").unwrap();
        let screenshots =
            env::var_os(SCREENSHOTS).map_or_else(|| folder.path().join("screenshots"), PathBuf::from);
        std::fs::create_dir_all(&screenshots).unwrap();
        println!("screenshots: {}", screenshots.display());

        let mut driver_process = Command::new(driver)
            .arg("--port=0")
            .arg(format!("--log-path={}", folder.path().join("chromedriver.log").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let port = told_port(&mut driver_process).await;

        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(&browser.to_string_lossy()).unwrap();
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        for argument in [
            "--headless=new",
            // Root may not have one, and a container has no namespace for it.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--force-prefers-reduced-motion",
            // Photos lie elsewhere, and a test asks nobody else.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            &format!("--user-data-dir={}", folder.path().join("profile").display()),
        ] {
            wanted.add_arg(argument).unwrap();
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.unwrap();
        let browser = Browser { driver, driver_process, folder, screenshots };
        browser.resize(1280, 900).await;
        Some(browser)
    }

    pub(super) async fn open(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub(super) async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    pub(super) async fn address(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// What a script in the page returns.
    pub(super) async fn ask(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.driver.execute(script, arguments).await.unwrap().json().clone()
    }

    /// The texts of all that a CSS selector finds, as they are shown.
    pub(super) async fn texts(&self, css: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map(found => found.innerText ?? '')";
        serde_json::from_value(self.ask(script, vec![json!(css)]).await).unwrap()
    }

    /// Waits until the texts of what is found are as they should be.
    pub(super) async fn sees(&self, css: &str, what: &str, right: impl Fn(&[String]) -> bool) {
        eventually(&format!("{css} shows {what}"), PATIENCE, async || {
            let texts = self.texts(css).await;
            if right(&texts) { Ok(()) } else { Err(format!("{texts:?}")) }
        })
        .await;
    }

    /// Waits until one of what is found has this text in it.
    pub(super) async fn sees_text(&self, css: &str, text: &str) {
        self.sees(css, text, |texts| texts.iter().any(|one| one.contains(text))).await;
    }

    /// Clicks the first thing that is found and has this text, when it is there and can be clicked.
    pub(super) async fn click(&self, css: &str, text: &str) {
        eventually(&format!("{css} with {text:?} can be clicked"), PATIENCE, async || {
            for found in self.driver.find_all(By::Css(css)).await.map_err(|error| error.to_string())? {
                if found.text().await.is_ok_and(|shown| shown.contains(text)) {
                    return found.click().await.map_err(|error| error.to_string());
                }
            }
            Err(format!("{:?}", self.texts(css).await))
        })
        .await;
    }

    /// Writes into the field of the open dialog whose label begins like this.
    pub(super) async fn fill(&self, label: &str, text: &str) {
        let script = "const label = [...document.querySelectorAll('dialog[open] label[for]')]
            .find(one => one.innerText.startsWith(arguments[0]));
            return label ? '#' + label.htmlFor : null";
        let css = eventually(&format!("there is a field {label}"), PATIENCE, async || {
            let found = self.ask(script, vec![json!(label)]).await;
            found.as_str().map(str::to_owned).ok_or_else(|| "none".to_owned())
        })
        .await;
        self.driver.find(By::Css(css)).await.unwrap().send_keys(text).await.unwrap();
    }

    /// Presses keys, as they come, in whatever has the focus.
    pub(super) async fn press(&self, keys: impl Into<TypingData>) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Presses a key several times.
    pub(super) async fn press_often(&self, times: usize, key: Key) {
        for _ in 0..times {
            self.press(key.clone()).await;
        }
    }

    /// Marks all that is written in the field with the focus.
    pub(super) async fn select_all(&self) {
        let chain = self.driver.action_chain();
        chain.key_down(Key::Control).send_keys("a").key_up(Key::Control).perform().await.unwrap();
    }

    /// Goes on by Tab until this has the focus.
    pub(super) async fn tab_to(&self, text: &str) {
        for _ in 0..120 {
            if self.focused().await.contains(text) {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("{text:?} cannot be reached by Tab; at last {:?} had the focus", self.focused().await);
    }

    /// What is written on, or as the name of, what has the focus.
    pub(super) async fn focused(&self) -> String {
        let script = "const one = document.activeElement;
            return `${one.labels?.[0]?.innerText ?? ''} ${one.innerText ?? ''} ${one.name ?? ''}`";
        self.ask(script, vec![]).await.as_str().unwrap_or_default().trim().to_owned()
    }

    /// Of this size from now on.
    pub(super) async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let cdp = self.driver.cdp();
        let _none = cdp.send_raw("Emulation.setDeviceMetricsOverride", size).await.unwrap();
    }

    /// As somebody has it who likes it dark.
    pub(super) async fn darken(&self) {
        let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
        let _none = self.driver.cdp().send_raw("Emulation.setEmulatedMedia", dark).await.unwrap();
    }

    /// The whole page as a picture.
    pub(super) async fn screenshot(&self, name: &str) {
        let size = self
            .ask(
                "const page = document.documentElement; return [page.clientWidth, page.scrollHeight]",
                vec![],
            )
            .await;
        let clip = json!({"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1});
        let asked = json!({"captureBeyondViewport": true, "clip": clip});
        let taken = self.driver.cdp().send_raw("Page.captureScreenshot", asked).await.unwrap();
        let picture = data_encoding::BASE64.decode(taken["data"].as_str().unwrap().as_bytes()).unwrap();
        std::fs::write(self.screenshots.join(format!("{name}.png")), picture).unwrap();
    }

    /// What has been said in the browser's console since the last look.
    pub(super) async fn console(&self) -> Vec<String> {
        let said = self.driver.browser_log().await.unwrap();
        said.into_iter().map(|entry| entry.message).collect()
    }

    pub(super) async fn quit(mut self) {
        self.driver.clone().quit().await.unwrap();
        let _killed = self.driver_process.kill().await;
    }
}

impl Drop for Browser {
    #[allow(clippy::print_stdout, reason = "shown by the test harness, because the test failed")]
    fn drop(&mut self) {
        // The browser is the driver's child, and would outlive it.
        if let Some(driver) = self.driver_process.id().and_then(Identity::of) {
            driver.signal_tree(Signal::KILL);
        }
        if std::thread::panicking() {
            self.folder.keep();
            println!("kept for a look: {}", self.folder.path().display());
        }
    }
}

/// chromedriver says on which port it listens.
async fn told_port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let said = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            let port = line
                .split("successfully on port ")
                .nth(1)
                .and_then(|rest| rest.trim_end_matches('.').parse().ok());
            if let Some(port) = port {
                return port;
            }
        }
        panic!("chromedriver ended without a word about its port");
    };
    tokio::time::timeout(within(20), said).await.expect("chromedriver says its port in time")
}

fn on_the_path(names: &[&str]) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let mut places = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.find(|place: &PathBuf| Path::is_file(place))
}
