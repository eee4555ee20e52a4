//! The storefront page in a real browser: a shopper's way through it.

mod browser;

use browser::Browser;
use tests::{Private, with_catalogue};
use thirtyfour::Key;

/// In the tests' catalogue: styles with photos that nobody has, sizes of which one is sold out.
const WITH_STYLES: &str = "Camo Onesie";
/// Four reviews, three characteristics.
const WITH_REVIEWS: &str = "Bright Future Sunglasses";
/// The question that the shopper asks: nobody has voted for it yet.
const MINE: &str = "#questions > .talk > .talk-item:last-child";

#[tokio::test(flavor = "multi_thread")]
async fn a_shopper_reads_writes_votes_asks_and_buys_and_finds_all_of_it_again() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let system = with_catalogue("shop", |options| options).await;
    let mut expected = Vec::new();

    looks_around(&browser, &system).await;
    fills_the_cart(&browser, &system).await;
    no_complaints(&browser, &expected).await;

    reads_reviews(&browser, &system).await;
    writes_a_review_by_keyboard(&browser).await;
    // A refusal is an answer, and the browser's own console tells it.
    expected.push("422 (Unprocessable Entity)");
    no_complaints(&browser, &expected).await;
    expected.clear();
    votes_and_finds_it_again(&browser).await;
    asks_and_answers(&browser).await;
    reports(&browser).await;
    every_path_of_the_page_can_be_loaded(&browser, &system).await;
    nothing_is_cut_off(&browser, &system).await;
    no_complaints(&browser, &expected).await;
    browser.quit().await;
}

async fn looks_around(browser: &Browser, system: &Private) {
    // As typed by somebody who knows the address alone.
    browser.open(&system.url()).await;
    browser.sees_text(".card-name", WITH_STYLES).await;
    assert!(browser.address().await.ends_with("/shop/"), "{}", browser.address().await);
    browser.screenshot("list").await;
    browser.click(".card-name a", WITH_STYLES).await;
    browser.sees_text("h1", WITH_STYLES).await;
    browser
        .sees(".gallery-main .photo:not(.photo-loaded) svg.drawing", "a drawing", |found| found.len() == 1)
        .await;
    browser.sees(".gallery-main img", "no broken picture", <[String]>::is_empty).await;
    assert_eq!(browser.texts(".thumb").await.len(), 2);
    browser.sees_text(".features", "Canvas").await;
    browser.sees(".shelf .card-name", "four related products", |found| found.len() == 4).await;
    let token = system.shopper().product(1).await.token().to_string();
    let epoch = token.split('-').next().unwrap();
    browser.sees_text("#freshness", &format!("position {epoch}-10000000")).await;

    browser.click(".swatches label:nth-child(2)", "").await;
    browser.sees_text(".product-price", "$100.50").await;
    browser.sees_text(".buy", "No sizes").await;
    assert!(browser.address().await.contains("&style="), "{}", browser.address().await);
    // A move within the page makes no new one, which would lose what somebody has typed.
    let _none = browser.ask("document.querySelector('h1').dataset.kept = 'yes'", vec![]).await;
    browser.click(".product-rating a", "").await;
    assert!(browser.address().await.ends_with("#reviews"), "{}", browser.address().await);
    browser.sees("main:not([aria-busy]) h1[data-kept]", "the same page", |found| found.len() == 1).await;
    browser.click(".swatches label:nth-child(1)", "").await;
    browser.sees_text(".product-price", "$140.00").await;
    browser.screenshot("product").await;
}

async fn fills_the_cart(browser: &Browser, system: &Private) {
    browser.click("button", "Add to cart").await;
    browser.sees_text(".field-fault", "choose a size").await;
    assert_eq!(
        browser.ask("return document.querySelectorAll('.sizes input:disabled').length", vec![]).await,
        1
    );
    for pieces in ["Cart (1)", "Cart (2)"] {
        browser.click(".sizes label", "S").await;
        browser.click("button", "Add to cart").await;
        browser.sees_text("#cart-link", pieces).await;
    }
    browser.reload().await;
    browser.sees_text("#cart-link", "Cart (2)").await;
    browser.click("#cart-link", "").await;
    browser.sees_text(".cart-line", WITH_STYLES).await;
    browser.reload().await;
    browser.sees_text(".cart-line", "× 2").await;
    browser.sees_text(".cart-sum", "$280.00").await;
    browser.screenshot("cart").await;
    let cookies = browser.ask("return document.cookie", vec![]).await;
    assert!(
        !cookies.as_str().unwrap().contains("atelier_session"),
        "scripts cannot see the session: {cookies}"
    );
    let stranger = system.shopper().get("/cart").await.expect(200).body;
    assert_eq!(stranger, "[]");
}

async fn reads_reviews(browser: &Browser, system: &Private) {
    browser.open(&format!("{}/shop/?product=2", system.url())).await;
    browser.sees_text("h1", WITH_REVIEWS).await;
    browser.sees_text(".product-rating", "Read all 4 reviews").await;
    browser.sees_text(".summary", "From 4 reviews").await;
    browser.sees_text(".traits", "Comfort").await;
    let first = |text: &'static str| move |found: &[String]| found.first().is_some_and(|one| one == text);
    browser
        .sees("#reviews h3", "the most helpful one first", first("I'm enjoying wearing these shades"))
        .await;
    browser.click("#order option", "Newest").await;
    browser.sees("#reviews h3", "the newest one first", first("Leap")).await;
    browser.click("#order option", "Most helpful").await;
    browser
        .sees("#reviews h3", "the most helpful one first", first("I'm enjoying wearing these shades"))
        .await;
    assert!(browser.texts("#reviews").await[0].contains("Thanks!"), "the shop's answer");
    let page = browser.texts("body").await;
    assert!(!page[0].contains("Not to be seen"), "a reported review");
}

async fn writes_a_review_by_keyboard(browser: &Browser) {
    browser.reload().await;
    browser.sees("#reviews .talk-item", "four reviews", |found| found.len() == 4).await;
    browser.press(Key::Tab).await;
    assert_eq!(browser.focused().await, "Skip to the content");
    browser.tab_to("Write a review").await;
    browser.press(Key::Enter).await;
    browser.sees_text("dialog[open] h2", "Write a review").await;
    // Sent as it is: each field says what it lacks, and the first of them has the focus.
    browser.tab_to("Publish review").await;
    browser.press(Key::Enter).await;
    browser.sees("dialog[open] .field-fault:not(:empty)", "what is missing", |found| found.len() == 8).await;
    assert!(browser.focused().await.contains("1 star"), "{}", browser.focused().await);

    browser.press_often(3, Key::Right).await;
    browser.press(Key::Tab).await;
    browser.press(" ").await;
    for steps in [2, 1, 4] {
        browser.press(Key::Tab).await;
        browser.press_often(steps, Key::Right).await;
    }
    for text in [
        "Ganz ünïcode ✓",
        "Line one\nline <b>two</b>",
        "ftp://img.example/mine.jpg",
        "Ada",
        "ada@shopper.example",
    ] {
        browser.press(Key::Tab).await;
        browser.press(text).await;
    }
    browser.press(Key::Enter).await;
    // The shop's own word, at the field and with the focus there.
    browser.sees("dialog[open] .field-fault:not(:empty)", "one fault", |found| found.len() == 1).await;
    assert!(browser.focused().await.starts_with("Photos (optional)"), "{}", browser.focused().await);
    browser.screenshot("form").await;
    browser.select_all().await;
    browser.press("https://img.example/mine.jpg").await;
    browser.press(Key::Tab).await;
    browser.press(Key::Tab).await;
    browser.press(Key::Enter).await;
    browser.sees_text(".talk-new", "Line one\nline <b>two</b>").await;
    browser.sees_text(".summary", "From 5 reviews").await;
    let mine = &browser.texts("#reviews .talk-item").await[0];
    assert!(mine.contains("Ganz ünïcode ✓") && mine.contains("Recommends"), "{mine}");
    assert_eq!(browser.texts("#reviews .talk-item:first-child .photo").await.len(), 1);
    browser.sees("dialog[open]", "nothing: it has closed", <[String]>::is_empty).await;
    browser.screenshot("review").await;
}

async fn votes_and_finds_it_again(browser: &Browser) {
    browser.click("#reviews .talk-item:first-child .vote", "(0)").await;
    browser.sees_text("#reviews .talk-item:first-child .vote[aria-pressed=true]", "(1)").await;
    browser.reload().await;
    browser.sees_text("#reviews", "Reviews").await;
    browser.click("#order option", "Newest").await;
    browser.sees_text("#reviews .talk-item:first-child", "Ganz ünïcode ✓").await;
    browser.sees_text("#reviews .talk-item:first-child .vote[aria-pressed=true]", "(1)").await;
}

async fn asks_and_answers(browser: &Browser) {
    browser.sees("#questions .question", "three questions", |found| found.len() == 3).await;
    browser
        .sees("#questions .answers .talk-item", "the two most helpful answers", |found| found.len() == 2)
        .await;
    browser.click("#questions .answers button", "Show 1 more answer").await;
    browser.sees("#questions .answers .talk-item", "all answers", |found| found.len() == 3).await;

    browser.click("button", "Ask a question").await;
    browser.fill("Your question", "Do they float?").await;
    browser.fill("Your name", "Grace").await;
    browser.fill("Your e-mail", "grace@shopper.example").await;
    browser.click("dialog[open] [type=submit]", "Publish").await;
    browser.sees_text("#questions .talk-new h3", "Do they float?").await;
    browser.click("#questions .talk-new button", "Answer").await;
    browser.fill("Your answer", "Only in the evening.").await;
    browser.fill("Photos", "https://img.example/one.jpg\nhttps://img.example/two.jpg").await;
    browser.fill("Your name", "Edsger").await;
    browser.fill("Your e-mail", "edsger@shopper.example").await;
    browser.click("dialog[open] [type=submit]", "Publish").await;
    browser.sees_text("#questions .answers .talk-new", "Only in the evening.").await;
    browser.click("#questions .answers .talk-new .vote", "(0)").await;
    browser.sees_text("#questions .answers .talk-new .vote[aria-pressed=true]", "(1)").await;
    browser.reload().await;
    browser.sees_text(&format!("{MINE} h3"), "Do they float?").await;
    browser.sees_text(&format!("{MINE} .answers .talk-item"), "Only in the evening.").await;
    browser.sees(&format!("{MINE} .answers .photo"), "two drawings", |found| found.len() == 2).await;
    browser.sees_text(&format!("{MINE} .answers .vote[aria-pressed=true]"), "(1)").await;
    browser.screenshot("questions").await;
}

async fn reports(browser: &Browser) {
    let answers = format!("{MINE} .answers .talk-item");
    browser.click(&format!("{answers} button"), "Report").await;
    browser.click(&format!("{answers} button"), "Yes, report").await;
    browser.sees(&answers, "no answer any more", <[String]>::is_empty).await;
    assert!(browser.focused().await.contains("Do they float?"), "{}", browser.focused().await);
    browser.reload().await;
    browser.sees_text(&format!("{MINE} h3"), "Do they float?").await;
    assert_eq!(browser.texts(&answers).await, Vec::<String>::new());

    browser.click("#order option", "Newest").await;
    browser.sees_text("#reviews .talk-item:first-child", "Ganz ünïcode ✓").await;
    browser.click("#reviews .talk-item:first-child button", "Report").await;
    browser.click("#reviews .talk-item:first-child button", "Yes, report").await;
    browser.sees_text(".summary", "From 4 reviews").await;
    assert!(browser.focused().await.contains("Leap"), "the next one: {}", browser.focused().await);
}

async fn every_path_of_the_page_can_be_loaded(browser: &Browser, system: &Private) {
    browser.open(&format!("{}/shop/any/path?product=2", system.url())).await;
    browser.sees_text("h1", WITH_REVIEWS).await;
    // A fragment that cannot be decoded names nothing.
    browser.open(&format!("{}/shop/?product=1#%", system.url())).await;
    browser.sees_text("h1", WITH_STYLES).await;
    browser.open(&format!("{}/shop/?page=1000", system.url())).await;
    browser.sees_text("main", "no more products").await;
    // A way back by the browser's own buttons.
    browser.click(".masthead a", "Products").await;
    browser.sees_text(".card-name", WITH_STYLES).await;
    let _none = browser.ask("history.back()", vec![]).await;
    browser.sees_text("main", "no more products").await;
}

async fn nothing_is_cut_off(browser: &Browser, system: &Private) {
    browser.resize(360, 780).await;
    for (name, query, seen) in [
        ("narrow-list", "", ".card-name"),
        ("narrow-product", "?product=2", "#reviews .talk-item"),
        ("narrow-cart", "?cart", ".cart-line"),
    ] {
        browser.open(&format!("{}/shop/{query}", system.url())).await;
        browser.sees(seen, "something", |found| !found.is_empty()).await;
        let width = browser.ask("return document.documentElement.scrollWidth", vec![]).await;
        assert!(width.as_u64().is_some_and(|width| width <= 360), "{name} is {width} wide");
        browser.screenshot(name).await;
    }
    browser.resize(1280, 900).await;
    let paper = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.ask(paper, vec![]).await;
    browser.darken().await;
    assert_ne!(browser.ask(paper, vec![]).await, light, "somebody likes it dark");
    browser.open(&format!("{}/shop/?product=2", system.url())).await;
    browser.sees("#questions .talk-item", "a question", |found| !found.is_empty()).await;
    browser.screenshot("dark-product").await;
}

/// Nothing is said in the browser's console but that photos did not come, and what a test did on purpose.
async fn no_complaints(browser: &Browser, expected: &[&str]) {
    let said = browser.console().await;
    let photo = |line: &str| line.contains("//img.example/") && line.contains("net::ERR_");
    let mut surprising: Vec<&String> = said.iter().filter(|line| !photo(line)).collect();
    for words in expected {
        let place = surprising.iter().position(|line| line.contains(words));
        let _expected = surprising.remove(place.unwrap_or_else(|| panic!("{words} is missing in {said:?}")));
    }
    assert!(surprising.is_empty(), "{surprising:?}");
}
