// SPDX-License-Identifier: Apache-2.0
#include "base/json/problem_texts.hpp"

namespace andon::base {

std::vector<std::string> problem_texts(const std::vector<JsonProblem>& problems) {
  std::vector<std::string> texts;
  texts.reserve(problems.size());
  for (const JsonProblem& problem : problems) {
    texts.push_back(problem.place.empty() ? problem.message
                                          : problem.place + ' ' + problem.message);
  }
  return texts;
}

}  // namespace andon::base
