// SPDX-License-Identifier: Apache-2.0
// What tasks answer in a run on this computer, out of a file. Used by one thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "asl/data/data.hpp"

namespace andon::asl {

struct LocalAnswer {
  Data output;  // null: it failed
  std::string error;
  std::string cause;
};

// Answers of tasks by state name and attempt, from a JSON text in one of two forms:
//   {"State": [{"result": any} | {"error": "E", "cause": "C"}, ...]}
// The n-th answer is for the n-th attempt; a single object answers every attempt. Or the mock
// configuration file of Step Functions Local:
//   {"StateMachines": {"Machine": {"TestCases": {"Case": {"State": "Response"}}}},
//    "MockedResponses": {"Response": {"0": {"Throw": {"Error": "E", "Cause": "C"}},
//                                     "1-2": {"Return": any}}}}
// "State/ItemReader" and "State/ResultWriter" answer those of a distributed Map.
class MockAnswers {
 public:
  MockAnswers() = default;
  // `test_case`, of Step Functions Local's form: "Case" or "Machine/Case"; may be empty where there
  // is only one. Throws base::Error: invalid_argument, not_found for the test case.
  [[nodiscard]] static MockAnswers parse(std::string_view text, std::string_view test_case = {});
  // The next answer of `state`. Throws base::Error(not_found) that says which one is missing.
  [[nodiscard]] LocalAnswer take(const std::string& state);

 private:
  struct Script {
    std::vector<LocalAnswer> answers;
    bool repeats = false;
    std::size_t used = 0;
  };
  static MockAnswers read_own_form(const json::object& document);
  static MockAnswers read_test_case(const json::object& document, std::string_view test_case);
  static Script read_response(const json::object& responses, const std::string& name);

  std::map<std::string, Script, std::less<>> scripts_;
};

}  // namespace andon::asl
