import js from '@eslint/js';
import checkFile from 'eslint-plugin-check-file';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const shipped = ['machines/**/*.ts', 'src/**/*.{ts,tsx}'];
const pure = ['machines/**/*.ts', 'src/core/**/*.ts', 'src/protocol/**/*.ts', 'src/errors.ts'];

const handedIn = 'Time and chance are handed in: a pure room takes them as arguments.';

export default defineConfig(
  // what stands for somebody who installs the package is checked as such, against what is built
  globalIgnores(['dist', 'coverage', 'scripts/consumer']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'check-file': checkFile },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'check-file/filename-naming-convention': [
        'error',
        { '**/*.{ts,tsx,js}': 'KEBAB_CASE' },
        { ignoreMiddleExtensions: true },
      ],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'anywhere' }],
    },
  },
  {
    files: shipped,
    rules: {
      '@typescript-eslint/max-params': ['error', { max: 3 }],
      'no-console': 'error',
    },
  },
  {
    // a chart also starts without input, in xstate/graph and in Stately's tools, which its types do not say
    files: ['machines/**/*.ts'],
    rules: { '@typescript-eslint/no-unnecessary-condition': 'off' },
  },
  {
    files: pure,
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: handedIn },
        { object: 'performance', property: 'now', message: handedIn },
        { object: 'Math', property: 'random', message: handedIn },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: ':matches(NewExpression, CallExpression)[callee.name="Date"]', message: handedIn },
      ],
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
);
