// SPDX-License-Identifier: Apache-2.0
// OpenID Connect providers.
#include <utility>

#include "api/iam/rows.hpp"

namespace andon::api {
namespace {

using control::Iam;
using control::OidcProvider;

std::string arn_of(const OperationContext& context) {
  return required_text(context.input, "OpenIDConnectProviderArn");
}

json::value create(Iam& iam, const OperationContext& context) {
  const OidcProvider made =
      iam.oidc.create(required_text(context.input, "Url"), text_list(context.input, "ClientIDList"),
                      text_list(context.input, "ThumbprintList"));
  return json::object{{"OpenIDConnectProviderArn", made.arn}};
}

json::value get(Iam& iam, const OperationContext& context) {
  const OidcProvider found = iam.oidc.require(arn_of(context));
  return json::object{{"Url", found.issuer()},
                      {"ClientIDList", to_array(found.clients)},
                      {"ThumbprintList", to_array(found.thumbprints)},
                      {"CreateDate", iam_time(found.created)}};
}

json::value list(Iam& iam, const OperationContext&) {
  json::array all;
  for (const std::string& arn : iam.oidc.list()) all.push_back(json::object{{"Arn", arn}});
  return json::object{{"OpenIDConnectProviderList", std::move(all)}};
}

json::value remove(Iam& iam, const OperationContext& context) {
  iam.oidc.remove(arn_of(context));
  return nullptr;
}

json::value add_client(Iam& iam, const OperationContext& context) {
  iam.oidc.add_client(arn_of(context), required_text(context.input, "ClientID"));
  return nullptr;
}

json::value remove_client(Iam& iam, const OperationContext& context) {
  iam.oidc.remove_client(arn_of(context), required_text(context.input, "ClientID"));
  return nullptr;
}

json::value set_thumbprints(Iam& iam, const OperationContext& context) {
  iam.oidc.set_thumbprints(arn_of(context), text_list(context.input, "ThumbprintList"));
  return nullptr;
}

}  // namespace

std::vector<Operation> oidc_operations(Iam& iam) {
  return {iam_row(iam, "CreateOpenIDConnectProvider", create),
          iam_row(iam, "GetOpenIDConnectProvider", get),
          iam_row(iam, "ListOpenIDConnectProviders", list),
          iam_row(iam, "DeleteOpenIDConnectProvider", remove),
          iam_row(iam, "AddClientIDToOpenIDConnectProvider", add_client),
          iam_row(iam, "RemoveClientIDFromOpenIDConnectProvider", remove_client),
          iam_row(iam, "UpdateOpenIDConnectProviderThumbprint", set_thumbprints)};
}

}  // namespace andon::api
