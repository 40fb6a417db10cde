import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { ownForm } from './own-form.ts'

test('a form of our own is compiled when it is first asked, and once', () => {
  let compiled = 0
  const textForm = ownForm(() => {
    compiled += 1
    return new Ajv().compile<string>({ type: 'string' })
  })
  expect(compiled).toBe(0)
  const isText = textForm()
  expect([isText('a'), isText(1), isText.errors?.length]).toEqual([true, false, 1])
  expect(textForm()).toBe(isText)
  expect(compiled).toBe(1)
})
