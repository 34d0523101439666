// SPDX-License-Identifier: Apache-2.0
#include "api/form/form_answer.hpp"

#include <utility>

#include "api/s3/format/xml.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr int kFirstServerError = 500;

std::string_view namespace_of(std::string_view service) {
  if (service == "cloudformation") return "http://cloudformation.amazonaws.com/doc/2010-05-15/";
  return service == "sts" ? "https://sts.amazonaws.com/doc/2011-06-15/"
                          : "https://iam.amazonaws.com/doc/2010-05-08/";
}

void write(XmlWriter& xml, std::string_view name, const json::value& value) {
  if (value.is_null()) return;
  if (const auto* text = value.if_string()) {
    xml.text(name, *text);
  } else if (const auto* object = value.if_object()) {
    xml.open(name);
    for (const auto& [key, inner] : *object) write(xml, key, inner);
    xml.close();
  } else if (const auto* list = value.if_array()) {
    xml.open(name);
    for (const json::value& inner : *list) write(xml, "member", inner);
    xml.close();
  } else if (value.is_bool()) {
    xml.boolean(name, value.as_bool());
  } else {
    xml.text(name, base::to_text(value));
  }
}

wire::HttpResponse respond(int status, XmlWriter& xml) {
  wire::HttpResponse response{.status = status};
  response.headers.set("Content-Type", "text/xml");
  response.body = xml.finish();
  return response;
}

wire::HttpResponse respond(int status, const json::object& document) {
  wire::HttpResponse response{.status = status};
  response.headers.set("Content-Type", "application/json");
  response.body = base::to_text(document);
  return response;
}

}  // namespace

FormFormat::Language form_language(const wire::HttpRequest& request) {
  const std::string_view accept = request.headers.find("Accept").value_or("");
  return accept == "application/json" ? FormFormat::Language::json : FormFormat::Language::xml;
}

wire::HttpResponse form_answer(const FormFormat& format, std::string_view operation,
                               const json::value& output) {
  const std::string name(operation);
  if (format.language == FormFormat::Language::json) {
    json::object inner;
    if (!output.is_null()) inner[name + "Result"] = output;
    inner["ResponseMetadata"] = {{"RequestId", format.request_id}};
    json::object document;
    document[name + "Response"] = std::move(inner);
    return respond(200, document);
  }
  XmlWriter xml(name + "Response", namespace_of(format.service));
  if (!output.is_null()) write(xml, name + "Result", output);
  xml.open("ResponseMetadata").text("RequestId", format.request_id).close();
  return respond(200, xml);
}

wire::HttpResponse form_error(const FormFormat& format, const ServiceError& error) {
  const std::string_view type = error.http_status() >= kFirstServerError ? "Receiver" : "Sender";
  if (format.language == FormFormat::Language::json) {
    return respond(error.http_status(),
                   json::object{{"Error", json::object{{"Type", type},
                                                       {"Code", error.code()},
                                                       {"Message", error.what()}}},
                                {"RequestId", format.request_id}});
  }
  XmlWriter xml("ErrorResponse", namespace_of(format.service));
  xml.open("Error").text("Type", type);
  xml.text("Code", error.code()).text("Message", error.what()).close();
  xml.text("RequestId", format.request_id);
  return respond(error.http_status(), xml);
}

}  // namespace andon::api
