// SPDX-License-Identifier: Apache-2.0
//
// nexa: the command line for everything.

#include <string>
#include <vector>

#include "wiring.h"

int main(int argc, char** argv) {
    return nexa::cli::run_in_the_world(
        std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc)
    );
}
