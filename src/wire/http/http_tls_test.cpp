// SPDX-License-Identifier: Apache-2.0
// Server and client over TLS, with and without certificates.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"
#include "trust/keys/certificate.hpp"
#include "wire/http/http_client.hpp"
#include "wire/http/http_server.hpp"

namespace andon::wire {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

const base::Timestamp kNow = base::SystemClock().now();

struct Leaf {
  std::string key_pem;
  std::string certificate_pem;
};

Leaf make_leaf(const trust::CertificateAuthority& authority, const std::string& name,
               trust::CertificateUse use) {
  Leaf leaf;
  leaf.key_pem = trust::make_private_key();
  trust::CertificateRequest request;
  request.common_name = name;
  request.use = use;
  request.not_before = kNow - std::chrono::hours{1};
  if (use == trust::CertificateUse::server) request.ip_addresses = {"127.0.0.1"};
  leaf.certificate_pem = trust::sign_csr(authority, trust::make_csr(leaf.key_pem, name), request);
  return leaf;
}

trust::CertificateAuthority make_authority(const std::string& name) {
  return trust::make_certificate_authority(name, kNow - std::chrono::hours{1},
                                           std::chrono::days{10});
}

class HttpTls : public testing::Test {
 protected:
  HttpTls() {
    const Leaf server = make_leaf(authority, "server", trust::CertificateUse::server);
    options.tls =
        TlsServerOptions{server.certificate_pem, server.key_pem, authority.certificate_pem};
    write("ca.crt", authority.certificate_pem);
  }

  std::string write(const std::string& name, const std::string& content) {
    base::write_file_atomically(directory.path() / name, content, 0600);
    return (directory.path() / name).string();
  }

  HttpClientOptions client_options() {
    HttpClientOptions client;
    client.ca_file = (directory.path() / "ca.crt").string();
    return client;
  }

  HttpClientOptions with_certificate(const Leaf& leaf) {
    HttpClientOptions client = client_options();
    client.certificate_file = write("client.crt", leaf.certificate_pem);
    client.private_key = write("client.key", leaf.key_pem);
    return client;
  }

  static std::string who(const HttpServer& server, const HttpClientOptions& client) {
    OutgoingRequest request;
    request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
    return HttpClient(client).send(request).body;
  }

  static HttpResponse name_client(HttpRequest& request) {
    HttpResponse response;
    response.body = request.client_certificate_pem
                        ? trust::describe_certificate(*request.client_certificate_pem).common_name
                        : std::string("nobody");
    EXPECT_TRUE(request.is_tls);
    return response;
  }

  const trust::CertificateAuthority authority = make_authority("test CA");
  base::TemporaryDirectory directory;
  HttpServerOptions options;
};

TEST_F(HttpTls, NamesTheClientThatComesWithACertificateAndServesTheOneWithout) {
  const HttpServer server(options, name_client);
  EXPECT_EQ(who(server, client_options()), "nobody");
  EXPECT_EQ(who(server,
                with_certificate(make_leaf(authority, "camera-1", trust::CertificateUse::client))),
            "camera-1");
}

class OfferedCertificate : public HttpTls {
 protected:
  OfferedCertificate() { write("plant.crt", plant.certificate_pem); }

  TlsIdentity identity(std::vector<std::string> names, std::vector<std::string> addresses) {
    const std::string key = trust::make_private_key();
    return {trust::sign_csr(plant, trust::make_csr(key, "plant"),
                            {.common_name = "plant",
                             .use = trust::CertificateUse::server,
                             .dns_names = std::move(names),
                             .ip_addresses = std::move(addresses),
                             .not_before = kNow - std::chrono::hours{1}}),
            key};
  }
  // "ca.crt" or "plant.crt": whom the client must believe to reach `host`.
  std::string believed(const HttpServer& server, const std::string& host) {
    std::string all;
    for (const std::string name : {"ca.crt", "plant.crt"}) {
      HttpClientOptions client;
      client.ca_file = (directory.path() / name).string();
      OutgoingRequest request;
      request.url = "https://" + host + ":" + std::to_string(server.port()) + "/";
      try {
        if (HttpClient(client).send(request).status == 200) all += name;
      } catch (const base::Error&) {
        continue;
      }
    }
    return all;
  }

  const trust::CertificateAuthority plant = make_authority("the plant's CA");
};

TEST_F(OfferedCertificate, IsShownToWhoAsksForItsNameAndItsSuccessorFromThenOn) {
  HttpServer server(options, name_client);
  EXPECT_EQ(believed(server, "localhost"), "");  // the server's own is for 127.0.0.1
  server.offer(identity({"localhost"}, {}));
  EXPECT_EQ(believed(server, "localhost"), "plant.crt");
  EXPECT_EQ(believed(server, "127.0.0.1"), "ca.crt");
  server.offer(identity({"elsewhere.example"}, {}));
  EXPECT_EQ(believed(server, "localhost"), "");
}

TEST_F(OfferedCertificate, OfAddressesIsNotForProgramsOfThisMachine) {
  HttpServer server(options, name_client);
  server.offer(identity({"localhost"}, {"127.0.0.1"}));
  EXPECT_EQ(believed(server, "127.0.0.1"), "ca.crt");
}

TEST_F(OfferedCertificate, ThatCannotBeUsedChangesNothing) {
  HttpServer server(options, name_client);
  server.offer(identity({"localhost"}, {}));
  TlsIdentity bad = identity({"localhost"}, {});
  bad.private_key_pem = trust::make_private_key();
  EXPECT_THROW(server.offer(bad), base::Error);
  EXPECT_EQ(believed(server, "localhost"), "plant.crt");
  options.tls.reset();
  HttpServer plain(options, name_client);
  EXPECT_THROW(plain.offer(identity({"localhost"}, {})), base::Error);
}

TEST_F(HttpTls, RefusesACertificateOfAnotherAuthorityOrForAnotherUse) {
  const HttpServer server(options, name_client);
  const Leaf foreign =
      make_leaf(make_authority("other CA"), "camera-1", trust::CertificateUse::client);
  const Leaf misused = make_leaf(authority, "camera-1", trust::CertificateUse::server);
  for (const Leaf& leaf : {foreign, misused}) {
    try {
      (void)who(server, with_certificate(leaf));
      ADD_FAILURE() << "the server took it";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::unavailable) << error.message();
    }
  }
  EXPECT_EQ(who(server, client_options()), "nobody");
}

TEST_F(HttpTls, TheClientRefusesAServerThatItsAuthorityDidNotSign) {
  const HttpServer server(options, name_client);
  HttpClientOptions client = client_options();
  client.ca_file = write("other.crt", make_authority("other CA").certificate_pem);
  try {
    (void)who(server, client);
    ADD_FAILURE() << "the client took it";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    EXPECT_THAT(error.message(), HasSubstr("other.crt"));
  }
  client.verify_server = false;
  EXPECT_EQ(who(server, client), "nobody");
}

TEST_F(HttpTls, SaysWhichFileOfTheClientCannotBeUsed) {
  const HttpServer server(options, name_client);
  HttpClientOptions client = client_options();
  client.certificate_file = write("bad.crt", "not PEM");
  client.private_key = write("bad.key", "not PEM");
  try {
    (void)who(server, client);
    ADD_FAILURE() << "the client took it";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), HasSubstr("bad.crt"));
  }
}

TEST_F(HttpTls, MovesLargeBodiesBothWays) {
  std::string content(5'000'000, 'x');
  for (std::size_t i = 0; i < content.size(); i += 97) content[i] = static_cast<char>('a' + i % 26);
  const base::fs::path path = write("content", content);
  const HttpServer server(options, [&](HttpRequest& request) {
    EXPECT_EQ(request.body.read(), content);
    HttpResponse response;
    response.body = FileBody{base::open_file(path, O_RDONLY), 0, content.size()};
    return response;
  });
  HttpClient client(client_options());
  OutgoingRequest request;
  request.method = "PUT";
  request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  request.body = content;
  EXPECT_EQ(client.send(request).body, content);
}

TEST_F(HttpTls, SurvivesClientsThatDoNotSpeakTls) {
  const HttpServer server(options, name_client);
  OutgoingRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/";
  EXPECT_THROW((void)HttpClient(client_options()).send(request), base::Error);
  EXPECT_EQ(who(server, client_options()), "nobody");
}

TEST_F(HttpTls, TheServerSaysWhichOfItsOwnPartsCannotBeUsed) {
  const auto refused = [this](TlsServerOptions tls) {
    options.tls = std::move(tls);
    try {
      const HttpServer server(options, name_client);
    } catch (const base::Error& error) {
      return error.message();
    }
    return std::string();
  };
  const TlsServerOptions good = *options.tls;
  EXPECT_THAT(refused({"", good.private_key_pem, ""}), HasSubstr("certificate"));
  EXPECT_THAT(refused({good.certificate_chain_pem, "x", ""}), HasSubstr("private key"));
  EXPECT_THAT(refused({good.certificate_chain_pem, trust::make_private_key(), ""}),
              HasSubstr("private key"));
  EXPECT_THAT(refused({good.certificate_chain_pem, good.private_key_pem, "x"}),
              HasSubstr("client CA"));
}

}  // namespace
}  // namespace andon::wire
