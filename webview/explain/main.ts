import '../ui/cspNonce.ts';
import type { ExplainPanelIn, ExplainPanelOut } from '../../src/shared/protocol/panel.ts';
import { registerControls } from '../ui/controls.ts';
import { connectHost } from '../ui/host.ts';
import { adoptPageStyles } from '../ui/pageStyles.ts';
import { ExplainPanel } from './explainPanel.ts';

registerControls();
adoptPageStyles('editor');
const panel = new ExplainPanel();
const host = connectHost<ExplainPanelIn, ExplainPanelOut>((message) => panel.receive(message));
panel.host = host;
document.body.append(panel);
host.post({ type: 'ready' });
