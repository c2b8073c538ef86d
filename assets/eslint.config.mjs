// The rules for all JavaScript that is ours; names and types are checked by tsc.
import js from "@eslint/js";

export default [
  { ignores: ["webapp/static/vendor/", "**/node_modules/", ".*/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off",
      "consistent-return": "off",
      "default-case-last": "error",
      eqeqeq: "error",
      "no-console": "error",
      "no-else-return": "off",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-param-reassign": "error",
      "no-promise-executor-return": "off",
      "no-self-compare": "error",
      "no-shadow": "error",
      "no-template-curly-in-string": "error",
      "no-throw-literal": "error",
      "no-unmodified-loop-condition": "error",
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "off",
      "require-atomic-updates": "error",
    },
  },
];
