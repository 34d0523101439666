// SPDX-License-Identifier: Apache-2.0
// Search, over model packages and their groups: each is looked at as its Describe operation shows
// it, with its tags.
#include <algorithm>
#include <charconv>
#include <tuple>

#include "api/sagemaker/members.hpp"
#include "api/sagemaker/rows.hpp"
#include "api/sagemaker/search_expression.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kStep = 100;  // rows of the registry at a time
constexpr std::size_t kMostFound = 100'000;
constexpr std::size_t kMostAPage = 100;

// What is kept of each that fits while all are looked at; the page is described anew.
struct Found {
  double number = 0;  // of the member that they are sorted by
  std::string text;
  std::string arn;
  [[nodiscard]] auto key() const { return std::tie(number, text, arn); }
};

struct Search {
  SearchExpression expression;
  std::string sort_by;
  bool is_descending = true;
};

double number_of(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? number : 0;
}

void consider(const Search& search, const json::object& resource, std::string arn,
              std::vector<Found>& found) {
  if (!matches(search.expression, resource)) return;
  if (found.size() == kMostFound) {
    throw Error(ErrorCode::resource_exhausted,
                "SearchExpression: more than 100000 resources fit; narrow it");
  }
  const std::vector<std::string> values = search_values(resource, search.sort_by);
  const std::string text = values.empty() ? "" : values.front();
  found.push_back({number_of(text), text, std::move(arn)});
}

void with_tags(json::object& resource, const SageMaker& service, const std::string& arn) {
  resource["Tags"] = tag_list(service.registry.tags().of(arn));
}

json::object package_resource(const SageMaker& service, const control::ModelPackage& package) {
  json::object resource = show_package(service, package);
  if (!resource.contains("LastModifiedTime")) {
    resource["LastModifiedTime"] = base::to_epoch_seconds(package.created);
  }
  with_tags(resource, service, package_arn(service.arns, package.id));
  return resource;
}

json::object group_resource(const SageMaker& service, const control::ModelPackageGroup& group) {
  json::object resource = show_group(service, group);
  with_tags(resource, service, group_arn(service.arns, group.name));
  return resource;
}

template <typename List, typename Take>
void read_all(const List& list, const Take& take) {
  control::PageRequest page{kStep, ""};
  while (true) {
    const auto some = list(page);
    for (const auto& one : some.items) take(one);
    if (!some.next) return;
    page.after = *some.next;
  }
}

std::vector<Found> find_packages(const SageMaker& service, const Search& search) {
  std::vector<Found> found;
  read_all([&](const auto& page) { return service.registry.list_packages({}, page); },
           [&](const control::ModelPackage& package) {
             consider(search, package_resource(service, package),
                      package_arn(service.arns, package.id), found);
           });
  return found;
}

std::vector<Found> find_groups(const SageMaker& service, const Search& search) {
  std::vector<Found> found;
  read_all([&](const auto& page) { return service.registry.list_groups({}, page); },
           [&](const control::ModelPackageGroup& group) {
             consider(search, group_resource(service, group), group_arn(service.arns, group.name),
                      found);
           });
  return found;
}

// Nothing for one that was deleted meanwhile.
std::optional<json::object> describe(const SageMaker& service, std::string_view kind,
                                     const std::string& arn) {
  const json::object named{{"Name", arn}};
  if (kind == "ModelPackage") {
    const auto package = service.registry.find_package(read_package_id(named, "Name"));
    if (package) return package_resource(service, *package);
    return std::nullopt;
  }
  const auto group = service.registry.find_group(read_group_name(named, "Name"));
  if (group) return group_resource(service, *group);
  return std::nullopt;
}

json::value search(const SageMaker& service, const OperationContext& context) {
  const std::string kind = required_text(context.input, "Resource");
  if (kind != "ModelPackage" && kind != "ModelPackageGroup") {
    throw Error(ErrorCode::invalid_argument,
                "Resource: this server searches ModelPackage and ModelPackageGroup");
  }
  Search asked{.expression = read_search_expression(context.input),
               .sort_by = text_or_empty(context.input, "SortBy")};
  if (asked.sort_by.empty()) {
    asked.sort_by = kind == "ModelPackage" ? "LastModifiedTime" : "CreationTime";
  }
  asked.is_descending =
      word_or_empty(context.input, "SortOrder", {"Ascending", "Descending"}) != "Ascending";
  const std::size_t limit = std::min(kMostAPage, read_registry_page(context.input).limit);

  std::vector<Found> found =
      kind == "ModelPackage" ? find_packages(service, asked) : find_groups(service, asked);
  const auto is_before = [&](const Found& left, const Found& right) {
    return asked.is_descending ? right.key() < left.key() : left.key() < right.key();
  };
  std::ranges::sort(found, is_before);
  auto at = found.begin();
  if (const std::string token = text_or_empty(context.input, "NextToken"); !token.empty()) {
    const auto last = from_page_token(token);
    const json::value key = last ? base::parse_json(*last, "NextToken") : json::value();
    const auto* parts = key.if_array();
    if (parts == nullptr || parts->size() != 3 || !(*parts)[0].is_number() ||
        !(*parts)[1].is_string() || !(*parts)[2].is_string()) {
      throw Error(ErrorCode::invalid_argument, "NextToken: is not one of this list");
    }
    const Found before{(*parts)[0].to_number<double>(), std::string((*parts)[1].get_string()),
                       std::string((*parts)[2].get_string())};
    at = std::upper_bound(found.begin(), found.end(), before, is_before);
  }
  json::array results;
  const Found* last = nullptr;
  for (; at != found.end() && results.size() < limit; ++at) {
    last = &*at;
    if (auto resource = describe(service, kind, at->arn)) {
      results.push_back(json::object{{kind, *std::move(resource)}});
    }
  }
  json::object output{{"Results", std::move(results)},
                      {"TotalHits", {{"Value", found.size()}, {"Relation", "EqualTo"}}}};
  if (at != found.end() && last != nullptr) {
    output["NextToken"] =
        to_page_token(base::to_text(json::array{last->number, last->text, last->arn}));
  }
  return output;
}

}  // namespace

void add_search_rows(std::vector<Operation>& rows, const SageMaker& service) {
  rows.push_back(sagemaker_row(
      "Search", [service](const OperationContext& context) { return search(service, context); }));
}

}  // namespace andon::api
