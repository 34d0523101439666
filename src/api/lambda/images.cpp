// SPDX-License-Identifier: Apache-2.0
// What stands here for container images.
#include <algorithm>

#include "api/lambda/lambda.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "functions/sandboxes/order.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostImages = 1'000;
constexpr const char* kProgram = "bootstrap";

// Without what names one version of it: "host:5000/name:tag@sha256:..." is "host:5000/name".
std::string_view without_tag(std::string_view uri) {
  uri = uri.substr(0, uri.find('@'));
  const std::size_t colon = uri.rfind(':');
  const bool is_tag =
      colon != std::string_view::npos && uri.substr(colon).find('/') == std::string_view::npos;
  return is_tag ? uri.substr(0, colon) : uri;
}

std::string text_in(const json::object& one, std::string_view member, const std::string& place) {
  const auto* value = one.if_contains(member);
  if (value == nullptr) return {};
  if (value->is_string() && !value->get_string().empty()) return std::string(value->get_string());
  throw Error(ErrorCode::invalid_argument,
              place + "." + std::string(member) + ": must be a text that is not empty");
}

FunctionImage read_image(const json::value& value, const std::string& place) {
  const auto refuse = [&](const std::string& message) {
    throw Error(ErrorCode::invalid_argument, place + message);
  };
  if (!value.is_object()) refuse(": must have image, directory and handler");
  const json::object& one = value.get_object();
  for (const auto& member : one) {
    const std::string_view key = member.key();
    if (key != "image" && key != "directory" && key != "handler" && key != "runtime") {
      refuse(": '" + std::string(key).substr(0, 64) +
             "' is no member: there are image, directory, handler and runtime");
    }
  }
  FunctionImage image{.image = text_in(one, "image", place),
                      .directory = text_in(one, "directory", place),
                      .runtime = text_in(one, "runtime", place),
                      .handler = text_in(one, "handler", place)};
  if (image.image.empty()) refuse(".image: is missing");
  if (image.handler.empty()) {
    refuse(".handler: is missing: module.function of Python, or 'bootstrap', an executable");
  }
  if (!image.directory.is_absolute() || !std::filesystem::is_directory(image.directory)) {
    refuse(".directory: '" + image.directory.string() + "' is no absolute path of a directory");
  }
  if (image.runtime.empty()) {
    image.runtime = image.handler == kProgram ? "provided.al2023" : "python3.12";
  }
  if (!functions::is_known_runtime(image.runtime)) {
    refuse(".runtime: '" + image.runtime + "' is neither python3.N nor provided.al2023");
  }
  return image;
}

}  // namespace

FunctionImages FunctionImages::parse(std::string_view text, std::string_view file) {
  const json::value document = recipe::parse_json_or_yaml(text, file);
  const auto* object = document.if_object();
  const auto* listed =
      object == nullptr || object->size() != 1 ? nullptr : object->if_contains("images");
  if (listed == nullptr || !listed->is_array() || listed->get_array().size() > kMostImages) {
    throw Error(ErrorCode::invalid_argument,
                std::string(file) + ": must have one member, images, a list of at most 1000");
  }
  FunctionImages images;
  for (std::size_t i = 0; i < listed->get_array().size(); ++i) {
    const std::string place = std::string(file) + ": images[" + std::to_string(i) + "]";
    FunctionImage image = read_image(listed->get_array()[i], place);
    if (std::ranges::find(images.images_, image.image, &FunctionImage::image) !=
        images.images_.end()) {
      throw Error(ErrorCode::invalid_argument,
                  place + ".image: '" + image.image + "' is there twice");
    }
    images.images_.push_back(std::move(image));
  }
  return images;
}

const FunctionImage* FunctionImages::find(std::string_view uri) const {
  for (const std::string_view wanted : {uri, without_tag(uri)}) {
    const auto found = std::ranges::find(images_, wanted, &FunctionImage::image);
    if (found != images_.end()) return &*found;
  }
  return nullptr;
}

}  // namespace andon::api
