//! The binary as people use it: a real server on a free port, and commands against it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conversations;
mod evaluate;
mod parquet_file;
mod server;

use std::fs;

use serde_json::Value;
use server::{Server, run};

/// What a command is expected to end with: its code, and parts of what it prints and says.
type Case<'a> = (&'a str, i32, &'a [&'a str], &'a [&'a str]);

fn check(server: &Server, (line, code, printed, said): Case) {
    let ended = server.run(line);
    assert_eq!(ended.code, code, "{line}: {}{}", ended.stdout, ended.stderr);
    for part in printed {
        assert!(ended.stdout.contains(part), "{line}: `{part}` is not in {}", ended.stdout);
    }
    for part in said {
        assert!(ended.stderr.contains(part), "{line}: `{part}` is not in {}", ended.stderr);
    }
}

#[test]
fn commands_end_with_the_code_that_help_lists() {
    let server = Server::start(&["--demo"]);
    let camera = "orvane-v20-body";
    let recommend = format!("recommend --stage product --anchor {camera} --anchor nonsense");
    let explain = format!("explain --stage cart --cart {camera} --product orvane-ob12 --product nonsense");
    let cases: [Case; 20] = [
        (&recommend, 0, &["OFFER (", "not in the catalog: nonsense", "PRODUCT", " USD "], &[]),
        (&explain, 0, &["GATE", "PASSED", "UNKNOWN_PRODUCT"], &[]),
        ("recommend --stage product --anchor x --policy nonsense", 4, &[], &["error: NOT_FOUND"]),
        ("recommend --anchor x", 2, &[], &["--stage is missing"]),
        ("recommend --stage noon", 2, &[], &["possible values"]),
        ("recommend --stage cart --max-results 101", 1, &[], &["INVALID_ARGUMENT", "max_results: "]),
        ("lint", 0, &["nothing looks wrong"], &[]),
        ("lint --merchant nobody", 4, &[], &["NOT_FOUND"]),
        ("products get orvane-v20-body", 0, &["899.00 USD", "Photo > Cameras > Mirrorless"], &[]),
        ("products get nonsense", 4, &[], &["NOT_FOUND"]),
        ("products list --limit 2", 0, &["TITLE"], &["there are more"]),
        ("products delete nonsense", 0, &["UNKNOWN"], &[]),
        ("rules list --limit 3", 0, &["PAIRING", "category:Photo > "], &["there are more"]),
        ("rules delete nonsense", 0, &["UNKNOWN"], &[]),
        ("policy get", 0, &["\"name\": \"default\""], &[]),
        ("policy get nonsense", 4, &[], &["NOT_FOUND"]),
        ("snapshot list", 0, &["GENERATION", "UpsertRules"], &[]),
        ("snapshot diff 999998 999999", 4, &[], &["NOT_FOUND"]),
        ("snapshot rollback 999999", 4, &[], &["NOT_FOUND"]),
        ("import products /nonsense.jsonl", 1, &[], &["/nonsense.jsonl"]),
    ];
    for case in cases {
        check(&server, case);
    }
}

#[test]
fn the_demo_store_answers_each_stage_with_its_own_words() {
    let server = Server::start(&["--demo"]);
    let context = [
        ("product", "--anchor"),
        ("cart", "--cart"),
        ("checkout", "--cart"),
        ("order-placed", "--order"),
        ("delivered", "--order"),
    ];
    let mut seen = Vec::new();
    for (stage, flag) in context {
        let answer = server.json(&format!("recommend --stage {stage} {flag} orvane-v20-body"));
        let offers = answer["offers"].as_array().unwrap();
        assert!(!offers.is_empty(), "{stage}: {answer}");
        let text = |offer: &Value| offer["reason"]["text"].as_str().unwrap().to_owned();
        assert!(offers.iter().all(|offer| !text(offer).is_empty()), "{stage}: {answer}");
        let ids: Vec<_> =
            offers.iter().map(|offer| offer["product_id"].as_str().unwrap().to_owned()).collect();
        assert!(ids.iter().all(|id| !id.starts_with("orvane-v20")), "{stage}: {ids:?}");
        seen.push((ids, text(&offers[0])));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), context.len(), "{seen:?}");
}

#[test]
fn a_demo_store_that_is_there_is_left_alone() {
    let mut server = Server::start(&["--demo"]);
    server.run("products delete orvane-v20-body").expect(0);
    let before = server.json("snapshot list")["snapshots"][0]["generation"].clone();
    assert_eq!(server.stop(), Some(0));
    server.start_again(&["--demo"]);
    server.run("products get orvane-v20-body").expect(4);
    let after = server.json("snapshot list")["snapshots"][0]["generation"].clone();
    assert_eq!(after, before);
}

#[test]
fn products_of_each_format_are_the_same() {
    let server = Server::start(&[]);
    let jsonl = r#"{"product_id":"a","title":"A","category_path":["X","Y"],"price":{"currency":"USD","minor_units":1299},"in_stock":true,"kind":"CONSUMABLE","days_of_supply":30,"tags":["s","t"],"attributes":{"mount":["E"],"mm":[67.5]}}
{"product_id":"b","title":"B","price":{"currency":"JPY","minor_units":1200},"in_stock":false,"stock_quantity":0}
"#;
    let csv = "product_id,title,category_path,currency,price,in_stock,kind,days_of_supply,tags,stock_quantity,attr:mount,attr:mm:number
a,A,X > Y,USD,12.99,true,CONSUMABLE,30,s|t,,E,67.5
b,B,,JPY,1200,false,,,,0,,
";
    let files =
        [server.file("a.jsonl", jsonl), server.file("a.csv", csv), parquet_file::products(server.path())];
    let mut seen = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let merchant = format!("m{at}");
        let line = format!("import products {} --merchant {merchant}", file.display());
        let report = server.json(&line);
        assert_eq!(
            (&report["created"], &report["rejected_count"]),
            (&2.into(), &0.into()),
            "{line}: {report}"
        );
        let mut listed = server.json(&format!("products list --merchant {merchant}"))["products"].clone();
        for product in listed.as_array_mut().unwrap() {
            let fields = product.as_object_mut().unwrap();
            fields.retain(|name, _| !name.ends_with("_set_time"));
        }
        seen.push(listed);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);

    let nan = server.file("nan.csv", "product_id,title,attr:mm:number\na,A,nan\n");
    let said = "attr:mm:number: is `nan`, which is not a number";
    check(&server, (&format!("import products {} --merchant n", nan.display()), 3, &[], &[said]));
    let broken = server.file("broken.parquet", "PAR1 and nothing else");
    check(
        &server,
        (&format!("import products {} --merchant n", broken.display()), 2, &[], &["broken.parquet"]),
    );
    let from_input = server.run_with_input("import products - --merchant m0", jsonl).expect(0);
    assert!(from_input.stdout.contains("2 unchanged"), "{}", from_input.stdout);
}

#[test]
fn rejected_lines_are_told_and_the_rest_imported() {
    let server = Server::start(&[]);
    let text = r#"{"product_id":"a","title":"A"}
nonsense

{"product_id":"b","title":"B","colour":"red"}
{"product_id":"c","title":"C","price":{"currency":"XXQ","minor_units":1}}
{"product_id":"a","title":"A again"}
"#;
    let file = server.file("p.jsonl", text);
    let file = file.display();
    let said = [":2: is not JSON", ":4: colour: is not a known field", ":5: `c`: price.currency"];
    let printed = ["2 products", "1 created, 1 updated", "3 rejected"];
    check(&server, (&format!("import products {file} --merchant m"), 3, &printed, &said));
    check(&server, ("products get a --merchant m", 0, &["A again"], &[]));

    let replace = format!("import products {file} --replace --merchant m");
    check(&server, (&replace, 1, &[], &[said[0], said[1], "nothing is replaced"]));
    let bad = server.file("q.jsonl", "{\"product_id\":\"z\",\"title\":\"Z\"}\n\n{\"product_id\":\"y\"}\n");
    let replace = format!("import products {} --replace --merchant m", bad.display());
    check(&server, (&replace, 1, &[], &["q.jsonl:3: title", "nothing is replaced"]));
    check(&server, ("products list --merchant m", 0, &["A again"], &[]));

    let good = server.file("r.jsonl", "{\"product_id\":\"z\",\"title\":\"Z\"}\n");
    let replace = format!("import products {} --replace --merchant m", good.display());
    check(&server, (&replace, 0, &["1 created", "1 deleted"], &[]));
    check(&server, ("products get a --merchant m", 4, &[], &[]));

    let empty = server.file("empty.jsonl", "\n");
    let replace = format!("import products {} --replace --merchant m", empty.display());
    check(&server, (&replace, 2, &[], &["holds no products", "--allow-empty"]));
    check(&server, ("products get z --merchant m", 0, &["z"], &[]));
    check(&server, (&format!("{replace} --allow-empty"), 0, &["1 deleted"], &[]));
    check(&server, ("products get z --merchant m", 4, &[], &[]));
}

#[test]
fn an_upload_that_is_refused_early_ends() {
    let server = Server::start(&[]);
    let text: String =
        (0..20_000).map(|at| format!("{{\"product_id\":\"p{at}\",\"title\":\"P\"}}\n")).collect();
    let file = server.file("p.jsonl", &text);
    for flags in ["", " --replace"] {
        let line = format!("import products {} --merchant Not-A-Merchant{flags}", file.display());
        check(&server, (&line, 1, &[], &["INVALID_ARGUMENT", "merchant_id"]));
    }
}

#[test]
fn rules_are_imported_and_linted() {
    let server = Server::start(&[]);
    let products = server.file("p.jsonl", PRODUCTS);
    server.run(&format!("import products {} --merchant m", products.display())).expect(0);
    let rules = "rule_id,relation,need,anchor,target\nr1,ACCESSORY,strap,product:camera,tag:strap\nr2,accessory,,tag:x,tag:y\n";
    let rules = server.file("r.csv", rules);
    let report = server.json(&format!("import rules {} --merchant m", rules.display()));
    assert_eq!(report["created"], 2);
    check(&server, ("lint --merchant m", 6, &["r2", "UNKNOWN_TERM"], &[]));
    check(&server, ("rules delete r2 --merchant m", 0, &["DELETED"], &[]));
    check(&server, ("lint --merchant m", 0, &[], &[]));
    let only = r#"{"rule_id":"r3","block":{},"target":{"any_of":[{"product_id":"strap"}]}}"#;
    let only = server.file("only.jsonl", only);
    let replace = format!("import rules {} --replace --merchant m", only.display());
    check(&server, (&replace, 0, &["1 created", "1 deleted"], &[]));

    let policy = server
        .file("policy.json", r#"{"name": "default", "limits": {"offers_max": 2, "objective": "revenue"}}"#);
    check(&server, (&format!("policy set {} --merchant m", policy.display()), 0, &["generation"], &[]));
    let policy = server.json("policy get --merchant m");
    assert_eq!(policy["limits"]["objective"], "VALUE_OBJECTIVE_REVENUE");
    check(&server, ("policy list --merchant m", 0, &["default"], &[]));
    check(&server, ("policy delete default --merchant m", 0, &["DELETED, generation"], &[]));
    check(&server, ("policy delete default --merchant m", 0, &["UNKNOWN, generation"], &[]));
    assert_eq!(server.json("policy list --merchant m")["policies"], serde_json::json!([]));
    check(&server, ("merchants", 0, &["MERCHANT", "m "], &[]));
    assert_eq!(server.json("merchants --degraded")["snapshots"], serde_json::json!([]));
}

const PRODUCTS: &str = r#"{"product_id":"camera","title":"Camera","category_path":["Cameras"],"price":{"currency":"USD","minor_units":90000}}
{"product_id":"strap","title":"Strap","category_path":["Straps"],"tags":["strap"],"price":{"currency":"USD","minor_units":2000}}
{"product_id":"bag","title":"Bag","category_path":["Bags"],"tags":["bag"],"price":{"currency":"USD","minor_units":5000}}
"#;

const RULES: &str = r#"{"rule_id":"r1","pairing":{"relation":"ACCESSORY","position":1},"anchor":{"any_of":[{"product_id":"camera"}]},"target":{"any_of":[{"tag":"strap"}]}}
{"rule_id":"r2","pairing":{"relation":"PROTECTION"},"anchor":{"any_of":[{"product_id":"camera"}]},"target":{"any_of":[{"tag":"bag"}]}}
"#;

fn with_store(server: &Server) {
    for (what, text) in [("products", PRODUCTS), ("rules", RULES)] {
        let file = server.file(&format!("{what}.jsonl"), text);
        server.run(&format!("import {what} {} --merchant m", file.display())).expect(0);
    }
}

#[test]
fn a_batch_is_answered_in_order() {
    let server = Server::start(&[]);
    with_store(&server);
    let query = |at: usize| match at % 3 {
        0 => format!(
            r#"{{"id":"q{at}","stage":"PRODUCT","anchor_ids":["camera"],"at":"2017-12-06T14:54:42Z"}}"#
        ),
        1 => format!(
            r#"{{"id":"q{at}","stage":"CART","cart":[{{"product_id":"camera"}},{{"product_id":"strap"}}]}}"#
        ),
        _ => format!(r#"{{"id":"q{at}","stage":"DELIVERED","order":{{"lines":[{{"product_id":"bag"}}]}}}}"#),
    };
    let queries: String = (0..350).map(|at| query(at) + "\n").collect();
    let (queries, out) = (server.file("queries.jsonl", &queries), server.path().join("answered.jsonl"));
    let line =
        format!("recommend --batch {} --policy open --out {} --merchant m", queries.display(), out.display());
    check(&server, (&line, 0, &["350 questions"], &[]));
    let answers = fs::read_to_string(&out).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: [&[&str]; 3] = [&["strap", "bag"], &["bag"], &[]];
    assert_eq!(answers.len(), 350);
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], format!("q{at}"));
        assert_eq!(answer["items"], Value::from(expected[at % 3]), "{answer}");
        assert_eq!(answer["scores"].as_array().unwrap().len(), expected[at % 3].len());
    }

    let bad = server.file("bad.jsonl", &format!("{}\n{{\"id\":\"x\",\"items\":[]}}\n", query(0)));
    let line = format!("recommend --batch {} --out {} --merchant m", bad.display(), out.display());
    check(&server, (&line, 1, &[], &["bad.jsonl:2: items: is not a known field"]));
}

#[test]
fn a_merchant_goes_out_as_a_file_and_comes_back() {
    let server = Server::start(&[]);
    with_store(&server);
    let list = |merchant: &str| server.json(&format!("rules list --merchant {merchant}"))["rules"].clone();
    let before = list("m");
    let file = server.path().join("m.sidecart");
    server.run(&format!("snapshot export {} --merchant m", file.display())).expect(0);
    check(
        &server,
        (
            &format!("snapshot import {} --merchant n", file.display()),
            0,
            &["3 products, 2 rules and 0 orders"],
            &[],
        ),
    );
    assert_eq!(list("n"), before);

    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    server.run(&format!("snapshot import {} --merchant n", file.display())).expect(1);
    assert_eq!(list("n"), before);

    let empty = server.file("empty.sidecart", "");
    let line = format!("snapshot import {} --merchant n", empty.display());
    check(&server, (&line, 1, &[], &["this is not an export file"]));
    assert_eq!(list("n"), before);

    let generation = server.json("snapshot list --merchant m")["snapshots"][0]["generation"].clone();
    let generation = generation.as_str().unwrap();
    server.run("rules delete r1 --merchant m").expect(0);
    assert_ne!(list("m"), before);
    check(
        &server,
        (&format!("snapshot diff {generation} --merchant m"), 0, &["1 change from", "RULES", "REMOVED"], &[]),
    );
    check(&server, (&format!("snapshot rollback {generation} --merchant m"), 0, &["generation"], &[]));
    assert_eq!(list("m"), before);
}

#[test]
fn without_a_server_commands_say_so() {
    let cases = [
        ("lint --merchant m --addr http://127.0.0.1:1", 5, "cannot reach http://127.0.0.1:1"),
        ("lint --merchant m --addr http://nonsense:x:y", 5, "cannot reach"),
        ("lint --merchant m --addr 127.0.0.1:1", 2, "does not start with http://"),
        ("lint --addr http://127.0.0.1:1", 2, "no merchant"),
        ("lint --config /nonsense.toml", 2, "nonsense.toml"),
        ("serve --listen nowhere", 2, "listen"),
        ("serve --log a=b=c", 2, "log"),
        ("completions klingon", 2, "possible values"),
    ];
    for (line, code, said) in cases {
        let ended = run(line, &[], "");
        assert_eq!(ended.code, code, "{line}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(said), "{line}: {}", ended.stderr);
    }
}

#[test]
fn configuration_is_shown_with_its_sources() {
    let shown =
        run("config show --reads-max 7 --output json", &[("SIDECART_MERCHANT", "shop")], "").expect(0);
    let origins: Value = serde_json::from_str(&shown.stdout).unwrap();
    let of = |key: &str| origins.as_array().unwrap().iter().find(|it| it["key"] == key).cloned().unwrap();
    assert_eq!(
        (&of("reads_max")["value"], &of("reads_max")["source"]),
        (&"7".into(), &"flag --reads-max".into())
    );
    assert_eq!(of("merchant")["source"], "environment SIDECART_MERCHANT");
    assert_eq!(
        (&of("listen")["value"], &of("listen")["source"]),
        (&"127.0.0.1:50051".into(), &"default".into())
    );
    assert!(run("completions bash", &[], "").expect(0).stdout.contains("sidecart"));
}
