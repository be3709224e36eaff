//! What the operator reads of mistakes of shape: syntax, unknown keys, wrong types.

use insta::assert_snapshot;

use super::mistakes;

#[test]
fn broken_toml_has_a_place() {
    assert_snapshot!(mistakes("[listen\n"), @"
    gateway.toml:1:8: unclosed table, expected `]`
      |
    1 | [listen
      |        ^
    ");
}

#[test]
fn a_missing_comma_has_a_place() {
    assert_snapshot!(mistakes(r#"[listen]
dns = ["127.0.0.1:53"
workers = 2
"#), @"
    gateway.toml:3:1: missing comma between array elements, expected `,`
      |
    3 | workers = 2
      | ^
    ");
}

#[test]
fn an_unknown_table_is_refused_with_a_suggestion() {
    assert_snapshot!(mistakes("[lisen]\nworkers = 2\n"), @"
    gateway.toml:1:2: unknown key `lisen`; the keys here are `default_group`, `school`, `listen`, `admin`, `portal`, `upstream`, `cache`, `limits`, `block`, `rebinding`, `local`, `forward`, `essential`, `fail_mode`, `department`, `schedule`, `bundle`, `group`, `profile`, `lists`, `state`, `evidence`, `update`, `selftest`, `devices`
      |
    1 | [lisen]
      |  ^^^^^
    hint: did you mean `listen`?
    ");
}

#[test]
fn an_unknown_key_is_refused_with_a_suggestion() {
    assert_snapshot!(mistakes(r#"[[group]]
nam = "pupils"
"#), @r#"
    gateway.toml:2:1: unknown key `nam`; the keys here are `name`, `clients`, `listen`, `server_names`, `macs`, `tokens_from`, `lessons`, `level`, `profile`, `safesearch`, `youtube`, `canaries`, `answer`
      |
    2 | nam = "pupils"
      | ^^^
    hint: did you mean `name`?
    "#);
}

#[test]
fn an_unknown_key_near_to_none_is_refused_with_the_known_ones() {
    assert_snapshot!(mistakes("[profile.x]\nwhitelist = []\n"), @"
    gateway.toml:2:1: unknown key `whitelist`; the keys here are `level`, `block`, `observe`, `allow`, `deny`, `allow_only`, `during`, `keywords`, `safesearch`, `youtube`, `canaries`, `answer`
      |
    2 | whitelist = []
      | ^^^^^^^^^
    ");
}

#[test]
fn a_top_key_below_a_table_is_sent_to_the_top() {
    assert_snapshot!(mistakes(r#"[school]
id = "a"
default_group = "pupils"
"#), @r#"
    gateway.toml:3:1: unknown key `default_group`; the keys here are `id`, `name`, `level`, `timezone`, `lang`, `roles`, `report_from`
      |
    3 | default_group = "pupils"
      | ^^^^^^^^^^^^^
    hint: move `default_group` to the top, before the first `[table]`
    "#);
}

#[test]
fn a_key_given_twice_is_refused() {
    assert_snapshot!(mistakes(r#"[school]
id = "a"
id = "b"
"#), @r#"
    gateway.toml:3:1: `id` is given twice in one table
      |
    3 | id = "b"
      | ^^
    hint: remove one of the two
    "#);
}

#[test]
fn a_bare_number_for_a_duration_is_refused() {
    assert_snapshot!(mistakes("[upstream]\ntimeout = 1500\n"), @r#"
    gateway.toml:2:11: wrong type: found integer `1500`, expected a duration in quotes, such as "1500ms", "30s" or "1h"
      |
    2 | timeout = 1500
      |           ^^^^
    "#);
}

#[test]
fn a_bare_number_for_a_size_is_refused() {
    assert_snapshot!(mistakes("[cache]\nsize = 67108864\n"), @r#"
    gateway.toml:2:8: wrong type: found integer `67108864`, expected a size in quotes, such as "64MiB"
      |
    2 | size = 67108864
      |        ^^^^^^^^
    "#);
}

#[test]
fn a_text_for_a_list_is_refused() {
    assert_snapshot!(mistakes(r#"[listen]
dns = "127.0.0.1:53"
"#), @r#"
    gateway.toml:2:7: wrong type: found string "127.0.0.1:53", expected an array in square brackets
      |
    2 | dns = "127.0.0.1:53"
      |       ^^^^^^^^^^^^^^
    hint: write `["127.0.0.1:53"]`
    "#);
}

#[test]
fn a_text_for_a_number_is_refused() {
    assert_snapshot!(mistakes(r#"[listen]
workers = "two"
"#), @r#"
    gateway.toml:2:11: wrong type: found string "two", expected a whole number
      |
    2 | workers = "two"
      |           ^^^^^
    "#);
}

#[test]
fn a_fraction_for_a_number_is_refused() {
    assert_snapshot!(mistakes("[listen]\nworkers = 0.5\n"), @"
    gateway.toml:2:11: wrong type: found floating point `0.5`, expected a whole number
      |
    2 | workers = 0.5
      |           ^^^
    ");
}

#[test]
fn a_number_beyond_64_bits_is_refused() {
    assert_snapshot!(mistakes("[listen]\nworkers = 99999999999999999999\n"), @"
    gateway.toml:2:11: the number is too large
      |
    2 | workers = 99999999999999999999
      |           ^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_text_for_a_switch_is_refused() {
    assert_snapshot!(mistakes(r#"[lists]
starter = "no"
"#), @r#"
    gateway.toml:2:11: wrong type: found string "no", expected `true` or `false`
      |
    2 | starter = "no"
      |           ^^^^
    "#);
}

#[test]
fn a_number_in_a_list_of_texts_is_refused() {
    assert_snapshot!(mistakes(r#"[profile.x]
block = ["adult", 7]
"#), @r#"
    gateway.toml:2:19: wrong type: found integer `7`, expected a text in quotes
      |
    2 | block = ["adult", 7]
      |                   ^
    "#);
}

#[test]
fn a_single_group_table_is_refused_with_the_right_brackets() {
    assert_snapshot!(mistakes(r#"[group]
name = "a"
"#), @"
    gateway.toml:1:1: wrong type: found a table, expected an array in square brackets
      |
    1 | [group]
      | ^^^^^^^
    hint: a table that can stand many times has two brackets: `[[group]]`
    ");
}

#[test]
fn a_repeated_single_table_is_refused_with_the_right_brackets() {
    assert_snapshot!(mistakes(r#"[[school]]
id = "a"
"#), @"
    gateway.toml:1:1: wrong type: found an array, expected a table
      |
    1 | [[school]]
      | ^^^^^^^^^^
    hint: a table that stands once has one bracket: `[school]`
    ");
}

#[test]
fn a_table_is_not_written_as_an_array() {
    assert_snapshot!(mistakes("school = [\"a\", \"A\"]\n"), @r#"
    gateway.toml:1:10: wrong type: found an array, expected a table
      |
    1 | school = ["a", "A"]
      |          ^^^^^^^^^^
    hint: a table that stands once has one bracket: `[school]`
    "#);
    assert_snapshot!(mistakes("lists.source = [[\"adult\", \"adult.txt\"]]\n"), @r#"
    gateway.toml:1:17: wrong type: found an array, expected a table
      |
    1 | lists.source = [["adult", "adult.txt"]]
      |                 ^^^^^^^^^^^^^^^^^^^^^^
    hint: a table that stands once has one bracket: `[school]`
    "#);
}

#[test]
fn a_value_for_a_table_is_refused() {
    assert_snapshot!(mistakes("lists = 3\n"), @"
    gateway.toml:1:9: wrong type: found integer `3`, expected a table
      |
    1 | lists = 3
      |         ^
    ");
}
