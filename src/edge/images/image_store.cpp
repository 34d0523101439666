// SPDX-License-Identifier: Apache-2.0
#include "edge/images/image_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "edge/process/run_as.hpp"
#include "edge/run/work_directory.hpp"
#include "edge/state/deployment_failure.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostRecord = 4U << 20U;

DeploymentFailure of_image(const DeploymentFailure& error, const WantedImage& wanted) {
  return {error.code(), wanted.describe() + ": " + error.message(), error.codes(), error.types()};
}

}  // namespace

ImageStore::ImageStore(const Layout& layout, ImageSettings settings, LinkBudget& budget)
    : layout_(layout), settings_(std::move(settings)), budget_(budget) {}

void ImageStore::check(const std::vector<WantedImage>& wanted, const Cancellation& cancellation) {
  std::optional<ContainerEngine> engine;
  for (const WantedImage& one : wanted) {
    try {
      if (!engine) engine.emplace(settings_.engine);
      require_use(*engine, one, ContainerEngine::Expect::access, cancellation);
    } catch (const DeploymentFailure& error) {
      throw of_image(error, one);
    }
  }
}

std::size_t ImageStore::bring(const std::vector<WantedImage>& wanted,
                              const Cancellation& cancellation) {
  if (wanted.empty()) return 0;
  std::size_t pulled = 0;
  const ContainerEngine engine(settings_.engine);
  for (const WantedImage& one : wanted) {
    cancellation.throw_if_cancelled();
    try {
      if (bring_one(engine, one, cancellation)) ++pulled;
    } catch (const DeploymentFailure& error) {
      throw of_image(error, one);
    }
  }
  return pulled;
}

bool ImageStore::bring_one(const ContainerEngine& engine, const WantedImage& wanted,
                           const Cancellation& cancellation) {
  const std::string name = engine.by_digest(wanted.image);
  std::optional<std::string> id = engine.find(name, cancellation);
  const bool is_new = !id;
  if (is_new) {
    pull(engine, wanted, cancellation);
    id = engine.find(name, cancellation);
  }
  if (!id) {
    throw DeploymentFailure(ErrorCode::data_corrupted,
                            engine.program() + " has pulled it and does not have it",
                            {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_IMAGE_NOT_VALID"},
                            {"DEPENDENCY_ERROR"});
  }
  if (!wanted.image.tag.empty()) give_tag(engine, wanted, *id, cancellation);
  require_use(engine, wanted, ContainerEngine::Expect::image, cancellation);
  return is_new;
}

void ImageStore::pull(const ContainerEngine& engine, const WantedImage& wanted,
                      const Cancellation& cancellation) {
  const std::string name = engine.by_digest(wanted.image);
  remember({engine.program(), name, ""});
  const auto no_progress = [] { return std::uint64_t{0}; };
  retry(cancellation, settings_.patience, no_progress, [&] {
    budget_.await(LinkUse::downloads, cancellation.flag());
    cancellation.throw_if_cancelled();
    const auto say = [&](const std::string& words) {
      set_pulling({wanted.component, "pulling " + name + (words.empty() ? "" : ": " + words)});
    };
    say("");
    try {
      engine.pull(wanted.image, settings_.pull, say, cancellation);
    } catch (const Error&) {
      set_pulling({});  // what retry() waits for is to be seen
      throw;
    }
  });
  set_pulling({});
  base::log_info("image pulled", {{"component", wanted.component}, {"image", name}});
}

// Scripts may call the image by the tag that its URI has, but a tag that is there is another's, or
// that of the version that a rollback needs: it is never moved.
void ImageStore::give_tag(const ContainerEngine& engine, const WantedImage& wanted,
                          const std::string& id, const Cancellation& cancellation) const {
  const std::string tag = engine.by_tag(wanted.image);
  const std::optional<std::string> other = engine.find(tag, cancellation);
  if (other == id) return;
  if (other) {
    throw DeploymentFailure(
        ErrorCode::failed_precondition,
        tag +
            " is another image on this device already; leave the tag out of the URI, and call "
            "the image " +
            engine.by_digest(wanted.image) + " in the scripts",
        {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_IMAGE_NOT_VALID"}, {"COMPONENT_ERROR"});
  }
  const std::string name = engine.by_digest(wanted.image);
  remember({engine.program(), tag, name});
  engine.tag(name, tag, cancellation);
}

// What its scripts will find of what an engine looks at.
std::map<std::string, std::string> ImageStore::environment_of(const WantedImage& wanted,
                                                              const RunAs& who) const {
  std::map<std::string, std::string> environment;
  for (const std::string& name : settings_.passed_environment) {
    if (const char* const value = std::getenv(name.c_str())) environment[name] = value;
  }
  const fs::path home = layout_.work_of(wanted.component);
  // One that is there is used by what runs now.
  if (!fs::exists(home)) prepare_work_directory(home, who);
  environment["HOME"] = home.string();
  return environment;
}

void ImageStore::require_use(const ContainerEngine& engine, const WantedImage& wanted,
                             ContainerEngine::Expect expect,
                             const Cancellation& cancellation) const {
  if (wanted.has_privileged_step) return;  // root may
  const RunAs who = resolve_run_as(wanted.run_as);
  if (!who.user || is_privileged(who)) return;  // the agent itself, or root
  const std::string why = engine.closed_to(who, environment_of(wanted, who),
                                           engine.by_digest(wanted.image), expect, cancellation);
  if (why.empty()) return;
  const std::string user = who.name.empty() ? std::to_string(*who.user) : who.name;
  const std::string help =
      engine.is_podman()
          ? "Podman keeps the images of each user apart: let the step that starts containers have "
            "RequiresPrivilege: true"
          : "add the user to the group docker and start the agent anew, or let the step that "
            "starts containers have RequiresPrivilege: true";
  throw DeploymentFailure(
      ErrorCode::permission_denied,
      "the user " + user + ", as whom the component runs, cannot use it with " + engine.program() +
          " (" + why + "): " + help,
      {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "USER_NOT_AUTHORIZED_FOR_DOCKER"},
      {"PERMISSION_ERROR"});
}

void ImageStore::keep_only(const std::vector<WantedImage>& keep) {
  const std::vector<Brought> brought = read();
  if (brought.empty()) return;
  std::set<std::string> names;
  for (const WantedImage& one : keep) {
    // As either engine calls it.
    const std::string full = recipe::full_image_name(one.image.name);
    names.insert({one.image.by_digest(), full + '@' + one.image.digest});
    if (!one.image.tag.empty()) names.insert({one.image.by_tag(), full + ':' + one.image.tag});
  }
  std::vector<Brought> left;
  // Tags first: what they are compared with is still there then.
  for (const bool are_tags : {true, false}) {
    for (const Brought& one : brought) {
      if (one.of.empty() == are_tags) continue;
      if (names.contains(one.name) || !remove(one)) left.push_back(one);
    }
  }
  if (left.size() != brought.size()) write(left);
}

bool ImageStore::remove(const Brought& one) try {
  const ContainerEngine engine(one.engine);
  const Cancellation never;
  const auto id = engine.find(one.name, never);
  if (!id) return true;
  // Somebody has given the tag to another image since.
  if (!one.of.empty() && id != engine.find(one.of, never)) return true;
  const bool is_gone = engine.remove(one.name, never);
  base::log_info(is_gone ? "image removed, as no component needs it" : "image is still in use",
                 {{"image", one.name}});
  return is_gone;
} catch (const Error& error) {
  base::log_warning("an image that no component needs could not be removed",
                    {{"image", one.name}, {"why", error.message()}});
  return false;
}

std::vector<ImageStore::Brought> ImageStore::read() const {
  const auto text = base::read_file_if_exists(record(), kMostRecord);
  if (!text) return {};
  std::vector<Brought> brought;
  try {
    const json::value document = base::parse_json(*text, "images.json");
    const base::JsonReader reader(document, "images.json");
    if (const json::array* images = reader.optional_array("images")) {
      for (const json::value& image : *images) {
        const base::JsonReader one(image, "images.json: an image");
        brought.push_back({one.string("engine"), one.string("name"), one.string("of")});
      }
    }
  } catch (const Error& error) {
    base::log_warning("which images the agent has brought is not known any more; they stay",
                      {{"why", error.message()}});
    return {};
  }
  return brought;
}

void ImageStore::write(const std::vector<Brought>& brought) const {
  json::array images;
  for (const Brought& one : brought) {
    images.push_back(json::object{{"engine", one.engine}, {"name", one.name}, {"of", one.of}});
  }
  base::write_file_atomically(record(), base::to_text(json::object{{"images", std::move(images)}}),
                              0600);
}

void ImageStore::remember(const Brought& one) const {
  std::vector<Brought> brought = read();
  if (std::ranges::find(brought, one) != brought.end()) return;
  brought.push_back(one);
  write(brought);
}

void ImageStore::set_pulling(Pulling pulling) {
  const std::lock_guard lock(mutex_);
  pulling_ = std::move(pulling);
}

ImageStore::Pulling ImageStore::now_pulling() const {
  const std::lock_guard lock(mutex_);
  return pulling_;
}

}  // namespace andon::edge
