//! Questions, answers and carts of the tests' catalogue.

use std::fmt::Write;

/// An address in questions.csv, and one in answers.csv. They must never be seen again.
pub const ASKER: &str = "canary-asker@secret.example";
/// See [`ASKER`].
pub const ANSWERER: &str = "canary-answerer@secret.example";
/// A session in cart.csv, which names a cart to whoever knows it and must be in no stream, log or table.
pub const SESSION: &str = "canary-legacy-session";

pub(super) fn questions() -> String {
    let mut text = format!(
        r#"id,product_id,body,date_written,asker_name,asker_email,reported,helpful
37,2,"What fabric is the top made of?",2018-10-18,"williamsmith","{ASKER}",false,4
38,2,"Does it ""really"" fit,
or only nearly?","2019-06-28T00:00:00.123Z","jbilas","first.last@gmail.com",0,9
36,2,"Tied with the first",1560000000123,"tied","third@gmail.com",false,4
39,2,"Reported, not to be seen",2020-01-01,"negativity","fourth@gmail.com",true,99
40,7,"Ünïcode – “fits” 👕?",2020-02-29,"名前","fifth@gmail.com",false,0
"#
    );
    for id in 50..=53 {
        let _ = writeln!(text, "{id},4,\"Tie\",2019-05-05,\"tie\",\"tie@gmail.com\",false,3");
    }
    for id in 61..=72 {
        let helpful = 100 - id;
        let _ =
            writeln!(text, "{id},5,\"One of twelve\",2019-05-05,\"page\",\"page@gmail.com\",false,{helpful}");
    }
    text
}

pub(super) fn answers() -> String {
    let mut text = format!(
        r#"id,question_id,body,date_written,answerer_name,answerer_email,reported,helpful
68,37,"Suede",2018-08-18,"janedoe","{ANSWERER}",false,1
8,37,"Something pretty soft,
I ""think""",1560000000123,"metslover","first.last@gmail.com",0,8
5,37,"Tied with the first","2020-02-29T23:59:59.999Z","tied","third@gmail.com",false,1
57,37,"Reported, not to be seen",2020-01-01,"negativity","fourth@gmail.com",1,99
66,39,"An answer to what is hidden",2020-01-02,"patient","fifth@gmail.com",false,2
"#
    );
    for id in 80..=83 {
        let _ = writeln!(text, "{id},50,\"Tie\",2019-05-05,\"tie\",\"tie@gmail.com\",false,3");
    }
    for id in 91..=102 {
        let helpful = 200 - id;
        let _ = writeln!(
            text,
            "{id},61,\"One of twelve\",2019-05-05,\"page\",\"page@gmail.com\",false,{helpful}"
        );
    }
    text
}

pub(super) const ANSWERS_PHOTOS: &str = r#"id,answer_id,url
2,8,"https://img.example/answer-2.jpg"
1,8,"https://img.example/answer-1.jpg"
3,57,"https://img.example/answer-3.jpg"
4,68,"https://img.example/answer-4.jpg"
"#;

/// Session 1234 has product 2's lowest sku, 11, once and then product 1's, 1, twice. Product 3 has none.
pub(super) fn cart() -> String {
    format!(
        "id,user_session,product_id,active
1,1234,2,1
2,1234,1,true
3,1234,1,1
4,1234,1,0
5,5678,1,1
6,1234,3,1
7,5678,2,false
8,{SESSION},1,1
"
    )
}
