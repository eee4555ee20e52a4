//! `GET /products`, `/products/:product_id`, `/products/:product_id/styles`, `/products/:product_id/related`.

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayBuilder, Schema};

use super::Resource;
use crate::operation::{Named, read};
use crate::parameter::{self, path_id};
use crate::schema::{
    Described, about, boolean, form, id, integer, list, map_by, named, object, or_null, price, text,
};

const TAG: &str = "products";

pub(super) fn resource() -> Resource {
    Resource {
        tag: TAG,
        description: "Products with their features, styles and relations. They come with the catalogue and do not change.",
        operations: vec![
            ("GET", "/products", products()),
            ("GET", "/products/{product_id}", product()),
            ("GET", "/products/{product_id}/styles", styles()),
            ("GET", "/products/{product_id}/related", related()),
        ],
        schemas: vec![
            ("Product", Schema::Object(listed()).into()),
            ("ProductWithFeatures", with_features()),
            ("Styles", styles_of_a_product()),
        ],
    }
}

fn products() -> Operation {
    let named_as = Named { tag: TAG, id: "listProducts", summary: "A page of products" };
    let parameters = vec![parameter::named("page"), parameter::named("count")];
    read(named_as, parameters, ("Products in the order of their ids", list(named("Product")).into()), &[422])
        .build()
}

fn product() -> Operation {
    let named_as = Named { tag: TAG, id: "getProduct", summary: "A product and its features" };
    read(named_as, vec![product_id()], ("The product", named("ProductWithFeatures")), &[404]).build()
}

fn styles() -> Operation {
    let named_as =
        Named { tag: TAG, id: "getStyles", summary: "A product's styles with their photos and skus" };
    read(named_as, vec![product_id()], ("All of its styles", named("Styles")), &[404]).build()
}

fn related() -> Operation {
    let named_as = Named { tag: TAG, id: "getRelatedProducts", summary: "The ids of related products" };
    let ids = ArrayBuilder::new().items(id()).unique_items(true).build();
    read(named_as, vec![product_id()], ("Never the product itself", ids.into()), &[404]).build()
}

fn product_id() -> parameter::Described {
    path_id("product_id", "The product")
}

fn listed() -> utoipa::openapi::Object {
    object([
        ("id", id().into()),
        ("name", text().into()),
        ("slogan", or_null(text()).into()),
        ("description", or_null(text()).into()),
        ("category", or_null(text()).into()),
        ("default_price", price().into()),
    ])
}

fn with_features() -> Described {
    let feature = object([
        ("feature", text().into()),
        ("value", about(or_null(text()), "Null when the feature has none").into()),
    ]);
    let mut product = listed();
    product.properties.insert("features".into(), list(feature).into());
    product.required.push("features".into());
    Schema::Object(product).into()
}

fn styles_of_a_product() -> Described {
    let photo = object([("thumbnail_url", or_null(text()).into()), ("url", or_null(text()).into())]);
    let photos = ArrayBuilder::new()
        .items(photo)
        .min_items(Some(1))
        .description(Some("A style without photos has one, of which both are null"));
    let sku = object([("quantity", or_null(integer(0, None)).into()), ("size", or_null(text()).into())]);
    let skus = about(
        map_by("^(?:null|[1-9][0-9]{0,15})$", sku),
        "By sku id; a style without skus has one under `null`, of which both are null",
    );
    let style = object([
        ("style_id", id().into()),
        ("name", text().into()),
        ("original_price", price().into()),
        ("sale_price", about(or_null(price()), "Null when there is no sale").into()),
        ("default?", boolean().into()),
        ("photos", photos.build().into()),
        ("skus", skus.into()),
    ]);
    let product_id = about(form(crate::schema::ID_TEXT), "The id as a text");
    Schema::Object(object([("product_id", product_id.into()), ("results", list(style).into())])).into()
}
