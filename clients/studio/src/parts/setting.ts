import { getOption, ScalarType, type DescField } from '@bufbuild/protobuf';
import { setting } from '../gen/dti/v1/setting_pb';

/** What a control of a setting needs, as the contract declares it. */
export function settingOf(field: DescField) {
  const { default: usual, min, max, multipleOf } = getOption(field, setting);
  const range = min !== undefined && max !== undefined ? `${min} to ${max.toLocaleString('en')}${multipleOf ? `, a multiple of ${multipleOf}` : ''}.` : '';
  return {
    min,
    max,
    step: field.scalar === ScalarType.DOUBLE ? ('any' as const) : multipleOf || 1,
    placeholder: /^[\d.]+$/.test(usual) ? usual : 'default',
    title: [usual && `Default: ${usual}.`, range].filter(Boolean).join(' '),
  };
}
