// SPDX-License-Identifier: Apache-2.0
#include "query/jsonpath/json_path.hpp"

#include <gmock/gmock.h>

#include "base/error/error.hpp"

namespace andon::query {
namespace {

constexpr std::string_view kDocument = R"({
  "store": {"book": [{"t": "A", "p": 8, "c": "ref"}, {"t": "B", "p": 12}, {"t": "C", "p": 9, "n": 1},
                     {"t": "D", "p": 23, "tags": ["x", "y"]}],
            "bike": {"p": 20}},
  "a b": {"c'd": 1}, "list": [0, 1, 2, 3, 4], "empty": [], "none": null, "limit": 10})";

Data document() {
  return make_data(base::parse_json(kDocument, "document"));
}

struct Row {
  std::string path;
  std::string expected;  // "-" where the path leads nowhere
};

TEST(JsonPath, SelectsWhatTheTableSays) {
  const std::vector<Row> rows = {
      {"$.limit", "10"},
      {"$['limit']", "10"},
      {"$.none", "null"},
      {"$.missing", "-"},
      {"$.limit.x", "-"},
      {"$.store.book[0].t", R"("A")"},
      {"$.store.book[-1].t", R"("D")"},
      {"$.store.book[9]", "-"},
      {"$['a b'][\"c'd\"]", "1"},
      {R"($['a b']['c\'d'])", "1"},
      {"$.store.book[*].t", R"(["A","B","C","D"])"},
      {"$.store.book[0,2].p", "[8,9]"},
      {"$.store.book[0]['t','p']", R"(["A",8])"},
      {"$.store..p", "[20,8,12,9,23]"},
      {"$..t", R"(["A","B","C","D"])"},
      {"$..book[1].t", R"(["B"])"},
      {"$.list[1:3]", "[1,2]"},
      {"$.list[-2:]", "[3,4]"},
      {"$.list[:2]", "[0,1]"},
      {"$.list[::2]", "[0,2,4]"},
      {"$.empty[*]", "[]"},
      {"$.list[7:]", "[]"},
      {"$.missing[*]", "[]"},
      {"$.missing.b[1:3].c", "[]"},
      {"$.store.book[*].missing", "[]"},
      {"$.store.book[?(@.p < 10)].t", R"(["A","C"])"},
      {"$.store.book[?(@.p > $.limit)].t", R"(["B","D"])"},
      {"$.store.book[?(@.n)].t", R"(["C"])"},
      {"$.store.book[?(!@.n && @.p >= 12)].t", R"(["B","D"])"},
      {"$.store.book[?(@.t == 'A' || @.t == \"B\")].p", "[8,12]"},
      {"$.store.book[?(@.t =~ /[ab]/i)].p", "[8,12]"},
      {"$.store.book[?(@.t in ['A','D'])].p", "[8,23]"},
      {"$.store.book[?(@.t nin ['A','D'])].p", "[12,9]"},
      {"$.store.book[?(@.tags contains 'x')].t", R"(["D"])"},
      {"$.store.book[?(@.c != 'ref')].t", R"(["B","C","D"])"},
      {"$.store.book[?(@.p > 100)]", "[]"},
      {"$.list.length()", "5"},
      {"$.store.book[*].p.length()", "4"},
      {"$.list.sum()", "1E1"},
      {"$.list.max()", "4E0"},
      {"$.*.p", "[]"},
      {"$.store.*.p", "[20]"},
      {"$", std::string(kDocument)},
  };
  const Data data = document();
  for (const Row& row : rows) {
    const auto found = JsonPath::parse(row.path).evaluate(data);
    if (row.expected == "-") {
      EXPECT_FALSE(found) << row.path;
      continue;
    }
    ASSERT_TRUE(found) << row.path;
    const auto expected = base::parse_json(row.expected, "expected");
    if (!expected.is_array()) {
      EXPECT_EQ(**found, expected) << row.path;
      continue;
    }
    EXPECT_THAT((*found)->as_array(), testing::UnorderedElementsAreArray(expected.as_array()))
        << row.path;
  }
}

TEST(JsonPath, HandsOnAPartOfTheDocumentWithoutACopy) {
  const Data data = document();
  const auto part = JsonPath::parse("$.store.book[2]").evaluate(data);
  EXPECT_EQ(part->get(), &data->at("store").at("book").at(2));
}

TEST(JsonPath, KnowsItsKind) {
  EXPECT_TRUE(JsonPath::parse("$.a.b[0]['c']").is_reference());
  EXPECT_FALSE(JsonPath::parse("$.a[-1]").is_reference());
  EXPECT_FALSE(JsonPath::parse("$.a[*]").is_reference());
  EXPECT_FALSE(JsonPath::parse("$.a.length()").is_reference());
  EXPECT_FALSE(JsonPath::parse("$..a").definite());
  EXPECT_EQ(JsonPath::parse("$$.State.Name").root(), PathRoot::context);
  EXPECT_EQ(JsonPath::parse("$total.sum").variable(), "total");
  EXPECT_EQ(normalised_path_text(JsonPath::parse("$.a[0].b")), "$['a'][0]['b']");
}

TEST(JsonPath, RefusesWhatIsNotAPath) {
  for (const std::string path :
       {"", "a", "$.", "$[", "$['a", "$[?(@.a ==)]", "$.a b", "$[1:2:0]", "$.a..", "$[?(@.a",
        "$.a.nope()", "$[99999999999999999999]", "$.a[?(@.b =~ 'x')]", "$[]"}) {
    EXPECT_THROW((void)JsonPath::parse(path), base::Error) << path;
  }
  std::string deep = "$";
  for (int i = 0; i < 40; ++i) deep += "[?(@.a";
  EXPECT_THROW((void)JsonPath::parse(deep), base::Error);
}

TEST(JsonPathInsert, PutsTheResultAndMakesObjectsOnTheWay) {
  const std::vector<std::array<std::string, 4>> rows = {
      {"$", R"({"a":1})", "2", "2"},
      {"$.b", R"({"a":1})", "2", R"({"a":1,"b":2})"},
      {"$.b.c.d", R"({"a":1})", "2", R"({"a":1,"b":{"c":{"d":2}}})"},
      {"$.a[1]", R"({"a":[1,2]})", "9", R"({"a":[1,9]})"},
      {"$.a[2]", R"({"a":[1,2]})", "9", "-"},
      {"$.a.b", R"({"a":5})", "9", "-"},
      {"$.b", "[1]", "9", "-"},
  };
  for (const auto& [path, input, result, expected] : rows) {
    const auto insert = [&, p = path, i = input, r = result] {
      return JsonPath::parse(p).insert(base::parse_json(i, "i"), base::parse_json(r, "r"));
    };
    if (expected == "-") {
      EXPECT_FALSE(insert()) << path << input;
    } else {
      EXPECT_EQ(base::to_text(insert().value()), expected) << path;
    }
  }
}

TEST(JsonPath, StopsWhereItWouldVisitTooManyNodes) {
  json::array inner(3000, json::value(1));
  const Data data = make_data(json::array(3000, json::value(inner)));
  EXPECT_THROW((void)JsonPath::parse("$..*").evaluate(data), PathError);
}

}  // namespace
}  // namespace andon::query
