# SPDX-License-Identifier: Apache-2.0
#
# Who may depend on whom: the architecture, reviewed as such. core is implied in every row.
# A row may only name rows above it. What is not listed is refused, here at configure time and by
# tools/tidy.py for every #include.

nexa_allow(core)
nexa_allow(crypto)
nexa_allow(net)
nexa_allow(db)
nexa_allow(storage        crypto net)
nexa_allow(sandbox)
nexa_allow(config)
nexa_allow(monitoring     net)
nexa_allow(protocol)
nexa_allow(staging        net storage protocol)
nexa_allow(fakes          net db storage crypto protocol)
nexa_allow(kernels)
nexa_allow(text           kernels)
nexa_allow(data           text kernels)
nexa_allow(models         text kernels)
nexa_allow(evaluation     data models text)
nexa_allow(inference      models kernels text)
nexa_allow(engine/columnar  data text kernels protocol)
nexa_allow(engine/nets      models kernels)
nexa_allow(engine/training  data models engine/nets kernels text)
nexa_allow(engine/pipelines protocol sandbox data models text kernels evaluation inference
                            engine/columnar engine/nets engine/training)
nexa_allow(engine/runner    protocol models engine/nets inference text kernels)
nexa_allow(ledger         crypto db)
nexa_allow(billing        crypto db ledger protocol net)
nexa_allow(accounts       crypto db net)
nexa_allow(fleet          crypto protocol)
nexa_allow(trust          crypto protocol fleet)
nexa_allow(orchestration  crypto net db storage protocol ledger billing accounts fleet trust)
nexa_allow(federation     crypto net protocol ledger orchestration)
nexa_allow(nexus          crypto storage)
nexa_allow(api            config crypto net storage protocol orchestration federation accounts billing fleet ledger monitoring)
nexa_allow(gateway        crypto net storage protocol staging inference models text nexus monitoring)
nexa_allow(worker         crypto net storage protocol staging sandbox fleet monitoring)
nexa_allow(cli            crypto net storage protocol nexus config)

nexa_allow_in_tests(core fakes)

nexa_allow_app(nexad        config crypto net db storage protocol monitoring ledger billing accounts fleet trust
                            orchestration federation api)
nexa_allow_app(nexa-worker  config crypto net storage protocol staging sandbox fleet monitoring worker)
nexa_allow_app(nexa-engine  protocol sandbox engine/pipelines engine/runner)
nexa_allow_app(nexa-gateway config crypto net storage protocol staging monitoring gateway)
nexa_allow_app(nexa         config net protocol cli)
