// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/error.hpp"
#include "api/s3/operations.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMaxBytes = 64U << 10U;
constexpr std::string_view kToEventBridge = "EventBridgeConfiguration";

}  // namespace

wire::HttpResponse get_bucket_notification(const S3Call& call) {
  require_bucket(call);
  const auto kept =
      call.objects.bucket_setting(call.address.bucket, store::BucketSetting::notification);
  XmlWriter xml("NotificationConfiguration");
  if (kept == kToEventBridge) xml.open(kToEventBridge).close();
  return xml_response(xml);
}

wire::HttpResponse put_bucket_notification(const S3Call& call) {
  require_bucket(call);
  const XmlElement root = read_xml(call, kMaxBytes);
  if (root.name != "NotificationConfiguration") {
    throw malformed_xml("expected NotificationConfiguration, not " + root.name);
  }
  refuse_other_members(root, {kToEventBridge});
  std::optional<std::string> wanted;
  if (root.child(kToEventBridge) != nullptr) wanted = std::string(kToEventBridge);
  call.objects.set_bucket_setting(call.address.bucket, store::BucketSetting::notification, wanted);
  return {};
}

}  // namespace andon::api
