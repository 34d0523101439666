// SPDX-License-Identifier: Apache-2.0
#include "edge/fit/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "base/error/error.hpp"
#include "base/os/cores.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/fit/model_trial.hpp"
#include "recipe/recipe/recipe_parser.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::uint64_t kReserve = 16ULL << 20U;  // that deployments leave free

// "MemAvailable" of /proc/meminfo, in KiB.
std::uint64_t available_kib() {
  const std::string text = base::read_file_if_exists("/proc/meminfo").value_or("");
  for (const std::string_view line : base::split(text, '\n')) {
    const std::vector<std::string_view> words = base::split_words(line);
    if (words.size() >= 2 && words[0] == "MemAvailable:") {
      return base::parse_integer<std::uint64_t>(words[1]).value_or(0);
    }
  }
  return 0;
}

std::string listed(const std::map<std::string, std::string>& attributes) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : attributes) parts.push_back(key + "=" + value);
  return base::join(parts, ", ");
}

bool is_here(const Layout& layout, const recipe::Artifact& artifact) {
  const auto digest = base::from_base64(artifact.digest);
  return digest && !digest->empty() &&
         fs::exists(layout.blobs() / base::to_hex(base::as_bytes(*digest)));
}

Finding disk_of(const Layout& layout, const recipe::Recipe& recipe,
                const recipe::Manifest& manifest, const fs::path& artifacts) {
  std::uint64_t needed = kReserve;
  std::size_t unknown = 0;
  for (const recipe::Artifact& artifact : manifest.artifacts) {
    if (is_here(layout, artifact)) continue;
    std::optional<std::uint64_t> size = artifact.size;
    std::error_code absent;
    if (!size && !artifacts.empty()) {
      const auto found =
          fs::file_size(artifacts / recipe.component_name / recipe.component_version.to_string() /
                            artifact.file_name,
                        absent);
      if (!absent) size = found;
    }
    if (!size) {
      ++unknown;
      continue;
    }
    // The archive stays beside what is unpacked from it.
    needed += artifact.unarchive != recipe::Unarchive::none ? 2 * *size : *size;
  }
  std::error_code unreadable;
  const fs::space_info space = fs::space(layout.root(), unreadable);
  if (unreadable) {
    return {"disk", Verdict::doubtful,
            "how much is free below " + layout.root().string() +
                " is not known: " + unreadable.message()};
  }
  return disk_fit(needed, space.available, unknown);
}

void add_recipe(const Layout& layout, const FitQuestion& question, std::vector<Finding>& findings) {
  const recipe::Recipe recipe = recipe::parse_recipe(question.recipe);
  const recipe::PlatformAttributes own = own_platform();
  findings.push_back({"component", Verdict::good, recipe.id()});
  findings.push_back(platform_fit(recipe, own));
  const recipe::Manifest* const manifest = recipe::select_manifest(recipe, own);
  if (manifest == nullptr) return;
  findings.push_back(disk_of(layout, recipe, *manifest, question.artifacts));
}

void add_model(const Layout& layout, const FitQuestion& question, std::vector<Finding>& findings) {
  if (!fs::is_regular_file(question.model)) {
    throw Error(ErrorCode::not_found, "there is no model " + question.model.string());
  }
  recipe::PlatformAttributes features = own_platform();
  for (const char* other : {"os", "architecture", "architecture.detail", "runtime", "memory"}) {
    features.erase(other);
  }
  findings.push_back({"processor", Verdict::good,
                      fmt::format("{} cores; {}", base::usable_cores(),
                                  features.empty() ? "none of the features that models make use of"
                                                   : listed(features))});
  const std::uint64_t free_kib = available_kib();
  const auto inspect = find_inspect(layout);
  if (!inspect) {
    const std::string what =
        "was not measured: andon-inspect is not on this device; install the package "
        "andon, or deploy a component that has it";
    findings.push_back({"memory", Verdict::doubtful, what});
    findings.push_back({"latency", Verdict::doubtful, what});
    return;
  }
  try {
    const ModelTrial trial = try_model(*inspect, question.model);
    findings.push_back(memory_fit(trial.peak_kib, free_kib));
    findings.push_back(latency_fit(trial.ms, question.most_ms));
  } catch (const Error& error) {
    findings.push_back({"latency", Verdict::bad, "the model does not run: " + error.message()});
  }
}

}  // namespace

Finding platform_fit(const recipe::Recipe& recipe, const recipe::PlatformAttributes& own) {
  if (recipe::select_manifest(recipe, own) != nullptr) {
    return {"platform", Verdict::good, "it has a manifest for this device"};
  }
  // What each of them asks for and this device is not.
  std::vector<std::string> lacks;
  for (const recipe::Manifest& manifest : recipe.manifests) {
    std::map<std::string, std::string> lacking;
    for (const auto& [key, wanted] : manifest.platform) {
      const auto found = own.find(key);
      const std::string* const value = found == own.end() ? nullptr : &found->second;
      if (!recipe::platform_value_matches(key, wanted, value)) lacking[key] = wanted;
    }
    lacks.push_back(listed(lacking));
  }
  return {"platform", Verdict::bad,
          "none of its manifests fits: they ask for " + base::join(lacks, " or ") +
              "; this device is " + listed(own)};
}

Finding disk_fit(std::uint64_t needed_bytes, std::uint64_t free_bytes, std::size_t unknown_sizes) {
  const std::string text = fmt::format("{} MiB are needed, {} MiB are free",
                                       (needed_bytes + (1U << 20U) - 1) >> 20U, free_bytes >> 20U);
  if (needed_bytes > free_bytes) return {"disk", Verdict::bad, text};
  if (unknown_sizes == 0) return {"disk", Verdict::good, text};
  return {"disk", Verdict::doubtful,
          fmt::format("{}, and its recipe does not say how large {} of its artifacts are: "
                      "at the device, andon-edge fit --artifacts DIR looks at them",
                      text, unknown_sizes)};
}

Finding latency_fit(std::vector<double> ms, std::optional<double> most_ms) {
  if (ms.empty()) return {"latency", Verdict::bad, "the model gave no result"};
  std::ranges::sort(ms);
  const double median = ms[ms.size() / 2];
  const double slow = ms[(ms.size() - 1) * 95 / 100];
  const std::string text =
      fmt::format("{:.1f} ms a picture of 640x480, 95 of 100 within {:.1f} ms", median, slow);
  if (!most_ms) return {"latency", Verdict::good, text};
  const Verdict verdict = median > *most_ms ? Verdict::bad
                          : slow > *most_ms ? Verdict::doubtful
                                            : Verdict::good;
  return {"latency", verdict, fmt::format("{}; it may take {:.1f} ms", text, *most_ms)};
}

Finding memory_fit(std::uint64_t needed_kib, std::uint64_t free_kib) {
  const std::string text =
      fmt::format("it took {} MiB, {} MiB were free", needed_kib >> 10U, free_kib >> 10U);
  if (free_kib == 0) return {"memory", Verdict::doubtful, text};
  if (needed_kib > free_kib) return {"memory", Verdict::bad, text};
  return {"memory", needed_kib * 10 > free_kib * 8 ? Verdict::doubtful : Verdict::good, text};
}

std::vector<Finding> examine_fit(const Layout& layout, const FitQuestion& question) {
  std::vector<Finding> findings;
  if (!question.recipe.empty()) add_recipe(layout, question, findings);
  if (!question.model.empty()) add_model(layout, question, findings);
  return findings;
}

}  // namespace andon::edge
