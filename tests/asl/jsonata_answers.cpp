// SPDX-License-Identifier: Apache-2.0
// Reads one JSON object a line, {"expr": text, "input": any}, and answers each with one line:
// {"value": any}, {} where the expression gives nothing, or {"error": code, "message": text}.
#include <iostream>
#include <string>

#include "base/error/error.hpp"
#include "query/jsonata/evaluate/jsonata.hpp"

namespace {

using namespace andon;  // NOLINT(google-build-using-namespace)

base::json::object answer(const base::json::value& question) {
  try {
    const auto expression = query::jsonata::Expression::parse(question.at("expr").as_string());
    query::Random random(1);
    query::jsonata::Environment environment;
    environment.input = question.as_object().if_contains("input");
    environment.now = base::from_epoch_millis(1'700'000'000'000);
    environment.random = &random;
    const auto value = expression.evaluate(environment);
    if (!value) return {};
    return {{"value", *value}};
  } catch (const query::jsonata::Error& error) {
    return {{"error", error.code()}, {"message", error.message()}};
  }
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto question =
        base::parse_json(line, "question", {.max_bytes = 64U << 20U, .max_depth = 500});
    std::cout << base::to_text(answer(question)) << '\n';
  }
  return 0;
}
