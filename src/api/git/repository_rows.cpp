// SPDX-License-Identifier: Apache-2.0
#include "api/git/repository_rows.hpp"

#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using events::Repository;

constexpr PageLimits kPage{.standard = 100, .maximum = 1000};

// "main" is a branch; HEAD and refs/... are what they say.
std::string whole_ref(const std::string& text) {
  if (text.empty()) return "HEAD";
  return text == "HEAD" || text.starts_with("refs/") ? text : "refs/heads/" + text;
}

json::value put(const RepositoryParts& parts, const OperationContext& context) {
  const json::object& input = context.input;
  Repository repository{.name = required_text(input, "name"),
                        .url = required_text(input, "url"),
                        .ref = whole_ref(text_or_empty(input, "ref")),
                        .secret_id = text_or_empty(input, "secretId")};
  if (const auto seconds = optional_number(input, "intervalSeconds")) {
    repository.interval = std::chrono::seconds(*seconds);
  }
  (void)parts.git.check(repository.url);
  const std::string given = text_or_empty(input, "ref");
  if (!wire::is_git_name(repository.ref) || (!given.empty() && !wire::is_git_name(given))) {
    throw Error(ErrorCode::invalid_argument,
                "ref: '" + repository.ref.substr(0, 100) +
                    "' is no name of a ref: HEAD, a branch, or refs/...");
  }
  if (!repository.secret_id.empty()) {
    if (!repository.url.starts_with("https://")) {
      throw Error(ErrorCode::invalid_argument,
                  "secretId: is sent by https alone; the URL must begin with https://");
    }
    parts.calls.require_operation(context.caller, "secretsmanager", "GetSecretValue",
                                  {{"SecretId", repository.secret_id}});
  }
  parts.repositories.put(repository);
  parts.wake();
  return json::object{{"name", repository.name}, {"ref", repository.ref}};
}

json::value list(const RepositoryParts& parts, const OperationContext& context) {
  const auto page = read_page(context.input, kPage);
  auto all = parts.repositories.list(page.after, page.limit + 1);
  json::object output{{"repositories", json::array()}};
  if (all.size() > page.limit) {
    all.resize(page.limit);
    put_next(output, all.back().name);
  }
  for (const Repository& one : all) {
    json::object told{{"name", one.name},
                      {"url", one.url},
                      {"ref", one.ref},
                      {"intervalSeconds", one.interval.count()},
                      {"failures", one.failures}};
    put_unless_empty(told, "secretId", one.secret_id);
    put_unless_empty(told, "commit", one.commit.value_or(""));
    put_unless_empty(told, "error", one.error);
    if (one.looked) told["looked"] = base::to_epoch_seconds(*one.looked);
    output["repositories"].as_array().push_back(std::move(told));
  }
  return output;
}

}  // namespace

std::vector<Operation> repository_operations(const RepositoryParts& parts) {
  constexpr const char* kOne = "/andon/v1/repositories/{name}";
  const auto row = [&parts](std::string_view name, std::string_view method, std::string_view path,
                            auto work) { return own_row(name, method, path, parts, work); };
  return {row("PutRepository", "PUT", kOne, put),
          row("DeleteRepository", "DELETE", kOne,
              [](const RepositoryParts& own, const OperationContext& context) -> json::value {
                own.repositories.remove(required_text(context.input, "name"));
                return json::object{};
              }),
          row("ListRepositories", "GET", "/andon/v1/repositories", list)};
}

}  // namespace andon::api
