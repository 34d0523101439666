// SPDX-License-Identifier: Apache-2.0
#include "api/device/package_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error/error.hpp"

namespace andon::api {
namespace {

class PackageFilesTest : public testing::Test {
 protected:
  PackageFilesTest() : files_(repository()) {
    base::fs::create_directories(repository() / "pool");
    base::write_file_atomically(repository() / "InRelease", "signed");
    base::write_file_atomically(repository() / "pool/a_1.0+x~1_amd64.deb", "0123456789");
    base::write_file_atomically(directory_.path() / "secret", "secret");
  }

  [[nodiscard]] base::fs::path repository() const { return directory_.path() / "repository"; }

  [[nodiscard]] wire::HttpResponse get(const std::string& path, const std::string& method = "GET",
                                       const wire::Headers& headers = {}) const {
    wire::HttpRequest request;
    request.method = method;
    request.path = request.target = path;
    request.headers = headers;
    return files_.answer(request);
  }

  [[nodiscard]] bool is_absent(const std::string& path) const {
    try {
      (void)get(path);
      return false;
    } catch (const base::Error& error) {
      return error.code() == base::ErrorCode::not_found;
    }
  }

  static std::string bytes_of(const wire::HttpResponse& response) {
    const auto& file = std::get<wire::FileBody>(response.body);
    std::string bytes(file.size, '\0');
    EXPECT_EQ(pread(file.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(file.offset)),
              static_cast<ssize_t>(file.size));
    return bytes;
  }

  base::TemporaryDirectory directory_;
  PackageFiles files_;
};

TEST_F(PackageFilesTest, HasNothingWithoutADirectory) {
  EXPECT_FALSE(PackageFiles({}).has("/packages/InRelease"));
  EXPECT_TRUE(files_.has("/packages/InRelease"));
  EXPECT_FALSE(files_.has("/packagesx"));
}

TEST_F(PackageFilesTest, GivesFilesWholeAndInRanges) {
  EXPECT_EQ(bytes_of(get("/packages/InRelease")), "signed");
  EXPECT_EQ(bytes_of(get("/packages/pool/a_1.0%2bx%7e1_amd64.deb")), "0123456789");
  const wire::HttpResponse part =
      get("/packages/pool/a_1.0+x~1_amd64.deb", "GET", {{"Range", "bytes=4-"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(bytes_of(part), "456789");
  EXPECT_EQ(get("/packages/InRelease", "HEAD").status, 200);
}

TEST_F(PackageFilesTest, GivesNothingOutsideAndNothingThatIsNoFile) {
  base::fs::create_symlink(directory_.path() / "secret", repository() / "link");
  base::fs::create_directory_symlink(directory_.path(), repository() / "up");
  ASSERT_EQ(mkfifo((repository() / "pipe").c_str(), 0600), 0);
  base::write_file_atomically(repository() / ".hidden", "x");
  for (const char* path :
       {"/packages/", "/packages/pool", "/packages/pool/", "/packages/../secret",
        "/packages/%2e%2e/secret", "/packages/pool/..%2f..%2f..%2fsecret", "/packages//etc/passwd",
        "/packages/link", "/packages/up/secret", "/packages/pipe", "/packages/.hidden",
        "/packages/no", "/packages/a%00b", "/packages/InRelease%", "/packages/In Release"}) {
    EXPECT_TRUE(is_absent(path)) << path;
  }
  EXPECT_TRUE(is_absent("/packages/" + std::string(600, 'a')));
}

TEST_F(PackageFilesTest, TakesNothing) {
  for (const char* method : {"PUT", "POST", "DELETE"}) {
    EXPECT_THROW((void)get("/packages/InRelease", method), base::Error) << method;
  }
}

}  // namespace
}  // namespace andon::api
