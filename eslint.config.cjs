/** What is a mistake in our JavaScript, not how it is laid out: that is prettier's. */
const js = require("@eslint/js");
const globals = require("globals");

module.exports = [
    // Run in a page that is looked at, not in the client's own.
    { ignores: ["tools/tests/*.js"] },
    js.configs.recommended,
    {
        languageOptions: { globals: { ...globals.browser, luxon: "readonly" } },
        rules: {
            curly: "error",
            eqeqeq: "error",
            "no-console": "error",
            "no-shadow": "error",
            "no-undef-init": "error",
            "no-useless-return": "error",
            "no-var": "error",
            "object-shorthand": "error",
            "prefer-const": "error",
        },
    },
];
