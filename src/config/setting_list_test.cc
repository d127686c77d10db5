// SPDX-License-Identifier: Apache-2.0
#include "config/setting_list.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

struct Inner {
    std::string url;
    std::string key = "k";
    std::vector<Inner> more;
    static constexpr auto fields() {
        return std::tuple{
            field("url", &Inner::url, "Where it is").required(),
            field("key", &Inner::key, "How to get in").secret(),
            field("more", &Inner::more, "More of them").length(0, 8),
        };
    }
};

struct Outer {
    seconds lease{60};
    std::optional<double> rate;
    std::string mode = "a|b";
    std::map<std::string, Inner> pools;
    Inner inner;
    static constexpr auto fields() {
        return std::tuple{
            field("lease", &Outer::lease, "How long it holds").within(seconds(1), hours(1)),
            field("rate", &Outer::rate, "How fast").within(0.5, 2).unit("jobs/s"),
            field("mode", &Outer::mode, "Which way").length(1, 9),
            field("pools", &Outer::pools, "Pools"),
            field("inner", &Outer::inner, "Inner"),
        };
    }
};

NEXA_JSON_CODEC(Outer);

TEST(SettingList, HasEveryLeafWithItsVariable) {
    std::vector<std::string> names;
    for (const SettingRow& row : list_settings(type_info<Outer>())) {
        names.push_back(row.path + " " + row.variable);
    }
    EXPECT_EQ(
        names,
        (std::vector<std::string>{
            "lease NEXA_LEASE",
            "rate NEXA_RATE",
            "mode NEXA_MODE",
            "pools.<name>.url NEXA_POOLS__<NAME>__URL",
            "pools.<name>.key NEXA_POOLS__<NAME>__KEY",
            "pools.<name>.more NEXA_POOLS__<NAME>__MORE",
            "inner.url NEXA_INNER__URL",
            "inner.key NEXA_INNER__KEY",
            "inner.more NEXA_INNER__MORE",
        })
    );
}

TEST(SettingList, ReferencePageSaysAllThatTheFieldListSays) {
    const std::string page = settings_reference<Outer>();
    EXPECT_TRUE(page.starts_with("| Setting | Variable |"));
    for (const char* row : {
             "| `lease` | `NEXA_LEASE` | number of s | `60` | 1 to 3600 | How long it holds |\n",
             "| `rate` | `NEXA_RATE` | number of jobs/s |  | 0.5 to 2 | How fast |\n",
             "| `mode` | `NEXA_MODE` | string | `a\\|b` | 1 to 9 characters | Which way |\n",
             "| `inner.url` (required) | `NEXA_INNER__URL` | string |  |  | Where it is |\n",
             "| `inner.key` | `NEXA_INNER__KEY`, `NEXA_INNER__KEY_FILE` | string, secret |  |  | "
             "How "
             "to get in |\n",
             "| `inner.more` | `NEXA_INNER__MORE` | list of Inner | `[]` | at most 8 entries | "
             "More of "
             "them |\n",
         }) {
        EXPECT_NE(page.find(row), std::string::npos) << row << page;
    }
}

}  // namespace
}  // namespace nexa::config
