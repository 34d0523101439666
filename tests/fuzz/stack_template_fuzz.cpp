// SPDX-License-Identifier: Apache-2.0
// A template, JSON or YAML, is refused with its place or comes to values within the limits, the
// same ones each time.
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "stacks/language/parameter_values.hpp"
#include "stacks/language/resolver.hpp"
#include "stacks/language/template.hpp"
#include "stacks/plan/plan.hpp"

namespace {

using namespace andon;

std::string resolved(std::string_view text) {
  const stacks::Template read = stacks::read_template(text, "t");
  const auto values = stacks::parameter_values(read, {}, {}, {});
  const stacks::World world{
      .reference = [](const std::string& id) { return stacks::json::value(id); },
      .attribute = [](const std::string& id,
                      const std::string& name) { return stacks::json::value(id + name); },
      .imported = [](const std::string& name) { return name; },
      .stored = [](const std::string& name) { return name; }};
  const stacks::Resolver resolver(read, values.values, world);
  std::string all;
  std::vector<std::string> ids;
  std::map<std::string, std::vector<std::string>> needs;
  for (const stacks::Resource& resource : read.resources) {
    if (!resolver.holds(resource.condition)) continue;
    const auto properties = resolver.resolve_object(resource.properties, resource.id);
    if (!stacks::differences(properties, properties).empty()) std::abort();
    all += base::to_text(properties);
    ids.push_back(resource.id);
    needs[resource.id] = stacks::dependencies(read, resource, values.values, world);
  }
  if (stacks::in_order(ids, needs).size() != ids.size()) std::abort();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    if (resolved(text) != resolved(text)) std::abort();
  } catch (const andon::base::Error&) {
    return 0;
  }
  return 0;
}
