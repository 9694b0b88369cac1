//! Command lines that cannot be understood: exit code 2, the flag, and what was expected of it.

use crate::program::{PROGRAMS, Program};

#[track_caller]
fn refused(name: &str, arguments: &[&str], says: &[&str]) {
    let ended = Program::new(name).arguments(arguments).run();
    let ended = ended.with_code(2).saying(says);
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_number_of_users_that_is_none() {
    for users in ["-1", "many", "1.5", "", "50000001"] {
        refused(
            "fetch-publish",
            &[&format!("--users={users}")],
            &["--users <N>"],
        );
    }
}

#[test]
fn a_page_size_that_the_api_does_not_give() {
    for size in ["0", "5001", "ten"] {
        refused(
            "fetch-publish",
            &["--page-size", size],
            &["--page-size <N>"],
        );
    }
    refused("fetch-publish", &["--page-size", "0"], &["1..=5000"]);
}

#[test]
fn a_seed_that_the_api_would_read_a_nationality_out_of() {
    for seed in ["eighteen-character", "fünfzehn-zeichen-!", ""] {
        refused(
            "fetch-publish",
            &["--seed", seed],
            &["--seed <S>", "18 characters"],
        );
    }
}

#[test]
fn a_nationality_that_is_no_code() {
    for name in ["fetch-publish", "transform-store", "aggregate"] {
        for codes in ["gbr", "g", "gb,,fr", "g1", "ÅÅ"] {
            refused(
                name,
                &["--nationalities", codes],
                &["a code of two letters"],
            );
        }
    }
}

/// The address may hold a password, so it is read by the program itself, which does not repeat it.
#[test]
fn an_address_that_is_no_url() {
    for url in [
        "randomuser.me/api",
        "ftp://randomuser.me/",
        "http://",
        "/api/",
    ] {
        let program = Program::new("fetch-publish").arguments(&["--api-url", url]);
        let says = [
            "--api-url",
            "STREAMFLOW_API_URL",
            "https://randomuser.me/api/",
        ];
        program.run().with_code(78).saying(&says);
    }
}

#[test]
fn a_time_that_is_none() {
    for time in ["soon", "-1s", "1 parsec", ""] {
        for flag in ["--duration", "--api-timeout", "--connect-timeout"] {
            refused("fetch-publish", &[&format!("{flag}={time}")], &[flag]);
        }
    }
}

#[test]
fn a_rate_of_nothing() {
    refused("fetch-publish", &["--rate", "0"], &["--rate <N>"]);
}

#[test]
fn following_and_ending_exclude_each_other() {
    for name in ["transform-store", "aggregate"] {
        refused(
            name,
            &["--follow", "--until-latest"],
            &["--follow", "--until-latest"],
        );
    }
}

#[test]
fn filters_and_bounds_out_of_range() {
    for name in ["transform-store", "aggregate"] {
        refused(
            name,
            &["--min-age", "151"],
            &["--min-age <YEARS>", "0..=150"],
        );
        refused(name, &["--max-records", "0"], &["--max-records <N>"]);
        for most in ["-1", "101%", "abc", "-5%", "", "0.0000001%"] {
            refused(
                name,
                &[&format!("--max-dead-letters={most}")],
                &["--max-dead-letters <N|N%>", "such as 5% or 0.5%"],
            );
        }
        refused(
            name,
            &["--keyspace", "a; DROP KEYSPACE b"],
            &["--keyspace <KEYSPACE>", "lower-case letters"],
        );
    }
}

#[test]
fn a_value_format_that_does_not_exist() {
    let arguments = ["--value-format", "xml"];
    let says = ["--value-format", "json, avro, json-schema, protobuf"];
    refused("fetch-publish", &arguments, &says);
    for command in ["init", "doctor"] {
        refused("streamflow", &[&[command], &arguments[..]].concat(), &says);
    }
}

/// Said before any server is waited for.
#[test]
fn a_value_format_that_needs_a_registry_and_has_none() {
    for format in ["avro", "json-schema", "protobuf"] {
        let programs = [
            Program::new("fetch-publish"),
            Program::new("streamflow").arguments(&["init"]),
        ];
        for program in programs {
            program
                .variable("STREAMFLOW_VALUE_FORMAT", format)
                .variable("SCHEMA_REGISTRY_URL", "")
                .run()
                .with_code(78)
                .saying(&[
                    format,
                    "what to do: ",
                    "--schema-registry-url",
                    "SCHEMA_REGISTRY_URL",
                    "--value-format json",
                ]);
        }
    }
}

#[test]
fn an_unknown_flag_or_command() {
    for name in PROGRAMS {
        refused(name, &["--no-such-flag"], &["--no-such-flag", "--help"]);
        refused(name, &["--log-format", "xml"], &["text, json"]);
    }
    refused("streamflow", &[], &["init", "doctor", "reconcile"]);
    refused("streamflow", &["destroy"], &["destroy"]);
}

#[test]
fn a_trouble_that_does_not_exist() {
    refused(
        "random-user-api",
        &["--trouble", "sunshine"],
        &["sunshine", "rate-limit"],
    );
    refused(
        "random-user-api",
        &["--listen", "8100"],
        &["--listen <ADDRESS>"],
    );
}

#[test]
fn a_seed_to_reconcile_without_a_number_of_users() {
    let says = ["--users <N>"];
    refused("streamflow", &["reconcile", "--seed", "spring"], &says);
    let says = ["--seed <S>"];
    refused("streamflow", &["reconcile", "--users", "5"], &says);
}

#[test]
fn a_bad_variable_is_named_by_its_flag() {
    let program = Program::new("fetch-publish").variable("STREAMFLOW_API_TIMEOUT", "soon");
    program.run().with_code(2).saying(&["--api-timeout <TIME>"]);
}
